// SPDX-License-Identifier: BSL-1.0

// Counts the words of all files below a folder: serially, and by pools of several sizes, with
// speed-up and efficiency. Thousands of small files travel in batches, and what each batch adds up
// to comes back, not what each file does.

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

#include <coterie/coterie.hpp>

#include "example.hpp"

namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

/// What a batch adds up to. A plain aggregate: it travels without a line of code.
struct totals {
  std::uint64_t files = 0;
  std::uint64_t unreadable = 0;
  std::uint64_t lines = 0;
  std::uint64_t words = 0;
  std::uint64_t bytes = 0;
  std::unordered_map<std::string, std::uint64_t> frequency;

  bool operator==(const totals&) const = default;
};

bool in_word(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_';
}

void count_text(const std::string& text, totals& sum) {
  sum.bytes += text.size();
  sum.lines += static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
  std::string word;
  for (auto end = text.begin(); end != text.end();) {
    const auto begin = std::find_if(end, text.end(), in_word);
    end = std::find_if_not(begin, text.end(), in_word);
    if (begin == end) break;
    word.assign(begin, end);
    ++sum.words;
    ++sum.frequency[word];
  }
}

bool read(const fs::path& path, std::string& text) {
  std::error_code problem;
  const std::uintmax_t size = fs::file_size(path, problem);
  if (problem) return false;
  text.resize(size);
  std::ifstream file{path, std::ios::binary};
  file.read(text.data(), static_cast<std::streamsize>(size));
  return file.gcount() == static_cast<std::streamsize>(size);
}

/// The task.
totals count_words(const std::vector<fs::path>& batch) {
  totals sum;
  std::string text;
  for (const fs::path& path : batch) {
    if (read(path, text)) {
      ++sum.files;
      count_text(text, sum);
    } else {
      ++sum.unreadable;
    }
  }
  return sum;
}

void add(totals& sum, totals&& part) {
  sum.files += part.files;
  sum.unreadable += part.unreadable;
  sum.lines += part.lines;
  sum.words += part.words;
  sum.bytes += part.bytes;
  for (auto& [word, times] : part.frequency) sum.frequency[word] += times;
}

/// The files below `folder`, cut into a few hundred batches of similar size, of 2 MB at most: large
/// enough for sums to be much smaller than the text, small enough to be shared out evenly.
std::vector<std::vector<fs::path>> batches_of(const fs::path& folder) {
  constexpr auto options = fs::directory_options::skip_permission_denied;
  std::vector<std::pair<fs::path, std::uintmax_t>> files;
  std::uintmax_t total = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator{folder, options}) {
    std::error_code problem;
    if (!entry.is_regular_file(problem)) continue;
    const std::uintmax_t size = entry.file_size(problem);
    files.emplace_back(entry.path(), problem ? 0 : size);
    total += files.back().second;
  }

  const std::uintmax_t batch_size = std::min<std::uintmax_t>(2'000'000, total / 200);
  std::vector<std::vector<fs::path>> batches;
  std::uintmax_t room = 0;
  for (auto& [path, size] : files) {
    if (batches.empty() || size > room) {
      batches.emplace_back();
      room = batch_size;
    }
    room -= std::min(room, size);
    batches.back().push_back(std::move(path));
  }
  return batches;
}

asio::awaitable<totals> count_in_pool(coterie::pool& pool,
                                      const std::vector<std::vector<fs::path>>& batches) {
  totals sum;
  auto parts = pool.imap_unordered(count_words, batches);
  while (auto part = co_await parts.next()) add(sum, std::move(*part));
  co_return sum;
}

void print_totals(const totals& sum, int most) {
  fmt::print("{}, {}, {} ({} different), {:.3g} MB", example::count(sum.files, "file"),
             example::count(sum.lines, "line"), example::count(sum.words, "word"),
             sum.frequency.size(), static_cast<double>(sum.bytes) * 1e-6);
  if (sum.unreadable > 0) fmt::print("; {} could not be read", sum.unreadable);
  fmt::print("\n");
  if (most > 0) fmt::print("\nThe most frequent:\n");

  std::vector<std::pair<std::string, std::uint64_t>> words(sum.frequency.begin(),
                                                           sum.frequency.end());
  const auto shown = std::min(words.size(), static_cast<std::size_t>(most));
  std::ranges::partial_sort(words, words.begin() + static_cast<std::ptrdiff_t>(shown),
                            [](const auto& a, const auto& b) {
                              return std::tie(b.second, a.first) < std::tie(a.second, b.first);
                            });
  words.resize(shown);
  for (const auto& [word, times] : words) fmt::print("  {:>9} x {}\n", times, word);
}

asio::awaitable<int> program(int argc, char** argv) {
  fs::path folder;
  std::vector<int> processes;
  int most = 5;
  CLI::App app{"Counts the words of all files below a folder, serially and in pools."};
  app.add_option("DIR", folder, "The folder; what is in folders below it is counted, too")
      ->required()
      ->check(CLI::ExistingDirectory);
  app.add_option("-p,--processes", processes,
                 "Worker processes, one pool for each number; without it 1 and one for each CPU")
      ->delimiter(',')
      ->check(CLI::Range(1, 10'000));
  app.add_option("--top", most, "How many of the most frequent words are shown")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  if (const auto code = example::parse(app, argc, argv)) co_return *code;
  if (processes.empty()) {
    processes = {1};
    if (coterie::available_cpus() > 1) processes.push_back(coterie::available_cpus());
  }

  // A first round, not timed: all others find the files, and this process its memory, warm.
  const auto batches = batches_of(folder);
  if (batches.empty()) {
    fmt::print(stderr, "{}: no files that could be found below {}\n", argv[0], folder.string());
    co_return 1;
  }
  {
    totals ignored;
    for (const auto& batch : batches) add(ignored, count_words(batch));
  }

  const example::stopwatch serial_watch;
  totals expected;
  for (const auto& batch : batches) add(expected, count_words(batch));
  const double serial = serial_watch.seconds();
  const double idle = serial_watch.idle_cpus();

  print_totals(expected, most);

  // The time of a pool includes the start of its workers.
  std::vector<example::pool_run> runs;
  for (const int number : processes) {
    const example::stopwatch watch;
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = number}};
    const totals sum = co_await count_in_pool(pool, batches);
    runs.push_back({pool.size(), watch.seconds()});
    example::check(sum == expected, fmt::format("{} workers count otherwise", number));
  }
  fmt::print("\n{} of {:.3g} kB on average, counted:\n",
             example::count(batches.size(), "batch", "batches"),
             static_cast<double>(expected.bytes) * 1e-3 / static_cast<double>(batches.size()));
  example::print_speed_up(serial, runs);
  const example::pool_run& last = runs.back();
  fmt::print(
      "\nAll runs agree on every word. MB a second: {:.3g} with {}, {:.3g} with one process.\n",
      static_cast<double>(expected.bytes) * 1e-6 / last.seconds,
      example::count(last.workers, "worker"), static_cast<double>(expected.bytes) * 1e-6 / serial);
  if (serial < 0.1) {
    fmt::print("So little text is counted before a pool's workers have started.\n");
  } else {
    example::print_load(idle, last);
  }
  co_return 0;
}

}  // namespace

int main(int argc, char** argv) { return coterie::run(argc, argv, program); }
