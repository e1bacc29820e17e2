// SPDX-License-Identifier: BSL-1.0

// Writes inputs to begin with: `fuzz_seeds FOLDER` fills FOLDER/results and FOLDER/frames with what
// honest workers send, as those two targets take it.

#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <future>
#include <ios>
#include <memory>
#include <new>
#include <regex>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include <coterie/detail/exception_wire.hpp>
#include <coterie/detail/item_reader.hpp>
#include <coterie/detail/record.hpp>
#include <coterie/error.hpp>

#include "fuzz/result_types.hpp"
#include "messages/setup_frame.hpp"

namespace {

using namespace coterie::detail;

class folder {
 public:
  explicit folder(std::filesystem::path path) : path_{std::move(path)} {
    std::filesystem::create_directories(path_);
  }

  void add(std::initializer_list<int> head, std::span<const std::byte> payload) {
    std::ofstream out{path_ / ("seed-" + std::to_string(count_++)), std::ios::binary};
    for (const int each : head) out.put(static_cast<char>(each));
    out.write(reinterpret_cast<const char*>(payload.data()),
              static_cast<std::streamsize>(payload.size()));
  }

 private:
  std::filesystem::path path_;
  int count_ = 0;
};

template <class R>
void put(byte_buffer& out, const R& value) {
  if constexpr (raw_item<R>) {
    out.append(&value, sizeof value);
  } else {
    record_writer record{out};
    coterie::encode(out, value);
    record.end();
  }
}

template <class R>
void add_values(folder& to, const R& value) {
  constexpr int type = fuzz::place_of<R>();
  byte_buffer payload;
  put(payload, value);
  to.add({0, type, 1}, payload);
  put(payload, value);
  to.add({0, type, 2}, payload);
}

std::vector<std::shared_ptr<samples::account>> shared_twice() {
  const auto one = std::make_shared<samples::account>("Ada", 5);
  return {one, nullptr, one};
}

std::vector<std::unique_ptr<samples::shape>> shapes() {
  std::vector<std::unique_ptr<samples::shape>> made;
  made.push_back(std::make_unique<samples::square>(3));
  made.push_back(nullptr);
  return made;
}

samples::chain long_chain() {
  samples::chain made;
  for (int length = 0; length < 20; ++length) {
    made = samples::chain{std::make_unique<samples::chain>(std::move(made))};
  }
  return made;
}

void add_all_values(folder& to) {
  add_values<std::int64_t>(to, 42);
  add_values<bool>(to, true);
  add_values<samples::point>(to, {1, 2});
  add_values<std::string>(to, "text");
  add_values<std::vector<bool>>(to, {true, false, true, true, true, false, true, true, true});
  add_values<std::vector<double>>(to, {1, 2, 3});
  add_values<std::vector<std::string>>(to, {"one", "", "three"});
  add_values<std::vector<std::vector<std::vector<int>>>>(to, {{{1}, {2}}, {}, {{3, 4}}});
  add_values<std::optional<std::vector<int>>>(to, std::vector{1, 2});
  add_values<std::variant<int, std::string, std::monostate>>(to, "text");
  add_values<std::map<int, std::vector<samples::point>>>(to, {{1, {{1, 2}}}, {2, {}}});
  add_values<std::unordered_map<std::string, int>>(to, {{"one", 1}, {"two", 2}});
  add_values<samples::company>(to, samples::some_company());
  add_values<samples::tree>(to, samples::some_tree());
  add_values<samples::chain>(to, long_chain());
  add_values<samples::account>(to, {"Ada", 36});
  add_values<std::vector<std::shared_ptr<samples::account>>>(to, shared_twice());
  add_values<std::vector<std::unique_ptr<samples::shape>>>(to, shapes());
  add_values<std::unique_ptr<samples::celsius>>(to, std::make_unique<samples::celsius>(36.6));
  add_values<samples::versioned>(to, {3, 0});
  add_values<samples::derived_from_aggregate>(to, {{1, 2}, 3});
  add_values<std::deque<samples::hidden>>(to, {samples::hidden{1}, samples::hidden{2}});
  add_values<std::set<std::string>>(to, {"one", "two"});
  add_values<std::unordered_multiset<int>>(to, {1, 1, 2});
  add_values<std::forward_list<int>>(to, {1, 2});
  add_values<std::queue<std::string>>(to, std::queue<std::string>{{"one", "two"}});
  add_values<std::bitset<70>>(to, 5);
  add_values<std::wstring>(to, L"wide");
  add_values<std::filesystem::path>(to, "/some/where");
  add_values<std::tuple<std::chrono::nanoseconds, samples::colour, samples::answer>>(
      to, {std::chrono::nanoseconds{5}, samples::colour::blue, samples::answer::yes});
  add_values<std::vector<samples::nothing>>(to, std::vector<samples::nothing>(3));
}

template <class E>
void add_exception(folder& to, const E& thrown) {
  byte_buffer payload;
  try {
    throw thrown;
  } catch (...) {
    encode_current_exception(payload);
  }
  to.add({1, 0, 1}, payload);
}

void add_exceptions(folder& to) {
  add_exception(to, 5);
  add_exception(to, std::bad_alloc{});
  add_exception(to, std::invalid_argument{"no"});
  add_exception(to, std::out_of_range{""});
  add_exception(to, std::system_error{2, std::generic_category(), "here"});
  add_exception(to, std::ios_base::failure{"here"});
  add_exception(to, std::filesystem::filesystem_error{
                        "here", "/one", "/two", std::make_error_code(std::errc::not_a_directory)});
  add_exception(to, std::future_error{std::future_errc::no_state});
  add_exception(to, std::regex_error{std::regex_constants::error_brack});
  add_exception(to, boost::system::system_error{5, boost::system::system_category(), "here"});
  add_exception(to, coterie::error{coterie::errc::not_ready});
  add_exception(to, coterie::start_failed{"none"});
  add_exception(to, coterie::timeout_error{});
  add_exception(to, coterie::worker_crashed{{.rank = 1, .pid = 2, .item = 3}, 9, std::nullopt});
  add_exception(to, coterie::worker_crashed{{.rank = 1, .pid = 2, .item = 3}, std::nullopt, 1});
}

void add_setup(folder& to) {
  worker_setup setup;
  setup.size = 3;
  setup.initializer.factory = {1, 2};
  setup.initializer.callable.resize(20);
  byte_buffer payload;
  encode(payload, setup);
  to.add({2, 0, 0}, payload);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::filesystem::path root{argv[1]};
  folder results{root / "results"};
  add_all_values(results);
  add_exceptions(results);
  add_setup(results);

  // Two bytes that choose the pieces; then orders: a whole frame, a header, some bytes.
  folder frames{root / "frames"};
  frames.add({1, 0, 2, 3, 100, 200, 0, 0, 0, 7, 2, 9, 3, 0, 0, 0, 0, 7}, {});
  frames.add({5, 0, 2, 3, 255, 200, 200, 3, 0, 7, 2, 9, 3, 0, 0, 0, 0, 7}, {});
  frames.add({2, 1, 1, 9, 5, 20, 0, 0, 0, 0, 0, 0, 0, 3, 200, 32}, {});
  frames.add({3, 1, 1, 9, 5, 0, 0, 0, 0, 2, 0, 0, 0, 0, 4, 1, 2, 3, 4}, {});
}
