// SPDX-License-Identifier: BSL-1.0

// Multiplies two matrices in a pool, row by row. The right-hand matrix is an argument that `bind`
// fixes: it is sent to each worker once, not with every row.

#include <cmath>
#include <cstddef>
#include <random>
#include <span>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

#include <coterie/coterie.hpp>

#include "coroutines.hpp"
#include "example.hpp"

namespace asio = boost::asio;

namespace {

using row = std::vector<double>;
using matrix = std::vector<row>;

row multiply(const matrix& right, std::span<const double> left) {
  row result(right.front().size());
  for (std::size_t k = 0; k < left.size(); ++k) {
    const double factor = left[k];
    const row& source = right[k];
    for (std::size_t j = 0; j < result.size(); ++j) result[j] += factor * source[j];
  }
  return result;
}

/// Small whole numbers, so that every sum is exact and results can be compared bit by bit.
matrix random_matrix(std::size_t size, unsigned seed) {
  std::mt19937 generator{seed};
  std::uniform_int_distribution<int> numbers{-9, 9};
  matrix result(size, row(size));
  for (row& line : result) {
    for (double& number : line) number = numbers(generator);
  }
  return result;
}

row times(const matrix& a, const row& x) {
  row result;
  for (const row& line : a) {
    double sum = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) sum += line[i] * x[i];
    result.push_back(sum);
  }
  return result;
}

asio::awaitable<int> program(int argc, char** argv) {
  int processes = 0;
  std::size_t size = 700;
  CLI::App app{"Multiplies two matrices of random numbers, serially and in a pool."};
  example::add_processes(app, processes);
  app.add_option("--size", size, "Rows and columns of each matrix")
      ->check(CLI::Range(1, 5'000))
      ->capture_default_str();
  if (const auto code = example::parse(app, argc, argv)) co_return *code;

  const matrix a = random_matrix(size, 1);
  const matrix b = random_matrix(size, 2);

  const example::stopwatch serial_watch;
  matrix expected;
  for (const row& line : a) expected.push_back(multiply(b, line));
  const double serial = serial_watch.seconds();

  coterie::pool pool{co_await asio::this_coro::executor, {.processes = processes}};
  co_await example::all_workers_ready(pool);  // a program would keep its pool
  const row first = co_await pool.apply(coterie::bind(multiply, b), a.front());
  example::check(first == expected.front(), "the first row");

  // In the worker, a row is a view into the message: it is read where it lies, not copied.
  const example::stopwatch pool_watch;
  const matrix product = co_await pool.map(coterie::bind(multiply, b), a);
  const example::pool_run run{pool.size(), pool_watch.seconds()};

  const double operations = 2.0 * std::pow(static_cast<double>(size), 3);
  const double megabytes = 8e-6 * static_cast<double>(size * size);
  fmt::print("{0} x {0} doubles, {1:.3g} MB a matrix, {2:.3g} billion operations\n\n", size,
             megabytes, operations * 1e-9);
  example::print_speed_up(serial, std::vector{run});
  fmt::print("\nSerial: {:.2f} billion operations a second, pool: {:.2f}.\n",
             operations / serial * 1e-9, operations / run.seconds * 1e-9);
  fmt::print(
      "{:.3g} MB crossed to each worker as the bound matrix, and {:.3g} MB of rows to and fro.\n",
      megabytes, 2 * megabytes);

  example::check(product == expected, "the pool's product differs from the serial one");
  // What multiplies differently must agree as well: A (B x) = (A B) x.
  const row x = random_matrix(size, 3).front();
  example::check(times(a, times(b, x)) == times(product, x), "A (B x) is not (A B) x");
  fmt::print("Both products are the same, and A (B x) = (A B) x holds exactly.\n");
  co_return 0;
}

}  // namespace

int main(int argc, char** argv) { return coterie::run(argc, argv, program); }
