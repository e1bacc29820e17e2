// SPDX-License-Identifier: BSL-1.0

// Fetches JSON documents over HTTP in a pool and counts their records: work that mostly waits, for
// which a pool may have more workers than there are CPUs. `--serve` is a server to fetch from;
// without arguments, server and pool run in the same loop, and the counts are checked.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/json/src.hpp>
#include <boost/system/system_error.hpp>

#include <coterie/coterie.hpp>

#include "coroutines.hpp"
#include "example.hpp"

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace json = boost::json;
using asio::ip::tcp;
using namespace asio::experimental::awaitable_operators;
using namespace std::chrono_literals;

namespace {

// ---- fetching, in a worker --------------------------------------------------------------------

struct address {
  std::string host;
  std::string port;
  std::string target;
};

address parse_url(const std::string& url) {
  constexpr std::string_view scheme = "http://";
  if (!url.starts_with(scheme)) throw std::invalid_argument("not an http:// address");
  const auto slash = std::min(url.find('/', scheme.size()), url.size());
  const std::string place = url.substr(scheme.size(), slash - scheme.size());
  const auto colon = std::min(place.find(':'), place.size());
  if (colon == 0) throw std::invalid_argument("the address names no host");
  return {place.substr(0, colon), colon < place.size() ? place.substr(colon + 1) : "80",
          slash < url.size() ? url.substr(slash) : "/"};
}

asio::awaitable<std::string> get(std::string url) {
  const address from = parse_url(url);
  const auto loop = co_await asio::this_coro::executor;
  tcp::resolver resolver{loop};
  const auto endpoints = co_await resolver.async_resolve(from.host, from.port, asio::use_awaitable);
  beast::tcp_stream stream{loop};
  stream.expires_after(20s);
  co_await stream.async_connect(endpoints, asio::use_awaitable);

  http::request<http::empty_body> request{http::verb::get, from.target, 11};
  request.set(http::field::host, from.host);
  request.set(http::field::user_agent, "coterie-scraper");
  co_await http::async_write(stream, request, asio::use_awaitable);

  beast::flat_buffer buffer;
  http::response<http::string_body> response;
  co_await http::async_read(stream, buffer, response, asio::use_awaitable);
  if (response.result() != http::status::ok) {
    throw std::runtime_error(fmt::format("HTTP {}", response.result_int()));
  }
  co_return std::move(response.body());
}

struct document {
  std::uint64_t bytes = 0;
  std::uint64_t records = 0;
  int rank = -1;
};

/// Records are the elements of the document, or of the first array that it has as a member.
document count_records(const std::string& text) {
  boost::system::error_code problem;
  const json::value value = json::parse(text, problem);
  if (problem) throw std::runtime_error("no JSON: " + problem.message());
  std::uint64_t records = 1;
  if (const auto* array = value.if_array()) {
    records = array->size();
  } else if (const auto* object = value.if_object()) {
    const auto member =
        std::ranges::find_if(*object, [](const auto& m) { return m.value().is_array(); });
    if (member != object->end()) records = member->value().get_array().size();
  }
  return {text.size(), records, coterie::this_worker::rank()};
}

/// The task. A worker is a process like others: it may well have an event loop of its own.
document fetch(const std::string& url) try {
  asio::io_context loop;
  auto text = asio::co_spawn(loop, get(url), asio::use_future);
  loop.run();
  return count_records(text.get());
} catch (const boost::system::system_error& problem) {
  // The reason in words: codes of HTTP and of JSON have no meaning outside of this process.
  throw std::runtime_error(problem.code().message());
}

// ---- a server with sample documents -----------------------------------------------------------

struct sample {
  std::string target;
  int records = 0;
};
const std::vector<sample> samples{{"/users", 100},   {"/posts", 250}, {"/comments", 5000},
                                  {"/albums", 50},   {"/todos", 200}, {"/photos", 2500},
                                  {"/products", 30}, {"/carts", 20}};

std::string sample_document(const sample& which) {
  json::array records;
  for (int id = 1; id <= which.records; ++id) {
    records.push_back({{"id", id}, {"name", fmt::format("{} {}", which.target.substr(1), id)}});
  }
  // Some are a plain array, others an object that holds it.
  if (which.records % 100 == 0) return json::serialize(records);
  return json::serialize(json::object{{"total", which.records}, {"items", std::move(records)}});
}

asio::awaitable<void> answer(tcp::socket socket) {
  beast::tcp_stream stream{std::move(socket)};
  stream.expires_after(20s);
  beast::flat_buffer buffer;
  http::request<http::string_body> request;
  co_await http::async_read(stream, buffer, request, asio::use_awaitable);

  http::response<http::string_body> response{http::status::not_found, request.version()};
  response.set(http::field::content_type, "application/json");
  response.keep_alive(false);
  const auto found = std::ranges::find(samples, request.target(), &sample::target);
  if (found != samples.end()) {
    response.result(http::status::ok);
    response.body() = sample_document(*found);
  }
  response.prepare_payload();

  // As far away as a server on another continent.
  asio::steady_timer distance{co_await asio::this_coro::executor, 100ms};
  co_await distance.async_wait(asio::use_awaitable);
  co_await http::async_write(stream, response, asio::use_awaitable);
}

asio::awaitable<void> serve(tcp::acceptor& acceptor) {
  const auto loop = co_await asio::this_coro::executor;
  for (;;) {
    tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
    asio::co_spawn(loop, answer(std::move(socket)), asio::detached);
  }
}

std::vector<std::string> sample_urls(const tcp::acceptor& acceptor) {
  std::vector<std::string> urls;
  for (const sample& one : samples) {
    urls.push_back(
        fmt::format("http://127.0.0.1:{}{}", acceptor.local_endpoint().port(), one.target));
  }
  return urls;
}

asio::awaitable<int> serve_until_interrupted(tcp::acceptor acceptor) {
  fmt::print("Serving until Ctrl-C is pressed:\n  {}\n", fmt::join(sample_urls(acceptor), "\n  "));
  std::fflush(stdout);
  asio::signal_set interrupts{co_await asio::this_coro::executor, SIGINT, SIGTERM};
  co_await (serve(acceptor) || interrupts.async_wait(asio::use_awaitable));
  co_return 0;
}

// ---- the program ------------------------------------------------------------------------------

std::string reason_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& problem) {
    return problem.what();
  }
}

struct tally {
  std::vector<std::uint64_t> records;
  int failed = 0;
};

asio::awaitable<tally> scrape(std::vector<std::string> urls, int processes) {
  coterie::pool pool{co_await asio::this_coro::executor, {.processes = processes}};
  const example::stopwatch watch;
  const auto outcomes = co_await pool.map_settled(fetch, urls, {.chunksize = 1});
  const double seconds = watch.seconds();

  tally result;
  std::uint64_t all = 0;
  fmt::print("{:>8} {:>10} {:>6}  {}\n", "records", "bytes", "rank", "address");
  for (std::size_t i = 0; i < urls.size(); ++i) {
    result.records.push_back(outcomes[i].has_value() ? outcomes[i]->records : 0);
    if (outcomes[i].has_value()) {
      const document& got = *outcomes[i];
      all += got.records;
      fmt::print("{:>8} {:>10} {:>6}  {}\n", got.records, got.bytes, got.rank, urls[i]);
      continue;
    }
    ++result.failed;
    fmt::print("{:>8} {:>10} {:>6}  {}: {}\n", "failed", "", "", urls[i],
               reason_of(outcomes[i].error()));
  }
  fmt::print("\n{} in {} by {}\n", example::count(all, "record"), example::duration(seconds),
             example::count(pool.size(), "worker"));
  co_return result;
}

/// All samples, by a pool, from a server that runs in the same loop as the pool.
asio::awaitable<int> scrape_samples(tcp::acceptor acceptor, int processes) {
  const auto urls = sample_urls(acceptor);
  // `||` waits for the first success: an error must count as one, since the server never ends.
  const auto first = co_await (example::settled(scrape(urls, processes)) || serve(acceptor));
  const tally& result = std::get<0>(first).value();
  fmt::print(
      "The server answers each request after 100 ms: one after the other, {} would take {}.\n",
      urls.size(), example::duration(0.1 * static_cast<double>(urls.size())));
  example::check(result.failed == 0, "a document could not be fetched");
  for (std::size_t i = 0; i < samples.size(); ++i) {
    example::check(result.records[i] == static_cast<std::uint64_t>(samples[i].records),
                   "records in " + samples[i].target);
  }
  co_return 0;
}

asio::awaitable<int> program(int argc, char** argv) {
  int processes = 4;
  std::uint16_t port = 8080;
  std::vector<std::string> urls;
  CLI::App app{"Fetches JSON documents over HTTP, and counts the records in them."};
  auto* addresses = app.add_option(
      "URL", urls, "http:// addresses; without any, samples from a server of its own");
  example::add_processes(app, processes);
  const auto* serves =
      app.add_option("--serve", port, "Serve the samples on this port of 127.0.0.1")
          ->expected(0, 1)
          ->check(CLI::Range(0, 65'535))
          ->excludes(addresses)
          ->capture_default_str();
  if (const auto code = example::parse(app, argc, argv)) co_return *code;

  if (!urls.empty()) {
    const tally result = co_await scrape(urls, processes);
    co_return result.failed == 0 ? 0 : 1;
  }
  const bool serving = serves->count() > 0;
  tcp::acceptor acceptor{co_await asio::this_coro::executor};
  try {
    const tcp::endpoint here{asio::ip::address_v4::loopback(), serving ? port : std::uint16_t{0}};
    acceptor = tcp::acceptor{acceptor.get_executor(), here};
  } catch (const boost::system::system_error& problem) {
    fmt::print(stderr, "The server cannot run on port {}: {}\n", port, problem.code().message());
    co_return 1;
  }
  if (serving) co_return co_await serve_until_interrupted(std::move(acceptor));
  co_return co_await scrape_samples(std::move(acceptor), processes);
}

}  // namespace

int main(int argc, char** argv) { return coterie::run(argc, argv, program); }
