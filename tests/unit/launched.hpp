// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

#include "processes/spawn_launcher.hpp"
#include "support/processes.hpp"

// Programs that a launcher has started, without a pool.

namespace launched {

namespace asio = boost::asio;
namespace v2 = boost::process::v2;
using coterie::detail::spawn_launcher;

inline constexpr const char* cat = "/bin/cat";

/// An initializer made of a function.
template <class Function>
struct setup {
  Function function;

  boost::system::error_code on_setup(spawn_launcher& launcher, const spawn_launcher::path&,
                                     const char* const*) const {
    return {function(launcher), boost::system::system_category()};
  }
};
template <class Function>
setup(Function) -> setup<Function>;

template <class... Initializers>
spawn_launcher::process launch(asio::io_context& loop, boost::system::error_code& failure,
                               const std::string& program, Initializers&&... initializers) {
  return spawn_launcher{}(loop.get_executor(), failure, program, std::vector<std::string>{},
                          std::forward<Initializers>(initializers)...);
}

/// `cat`, which answers each line by the same one, and ends with its input.
class echo {
 public:
  template <class... Initializers>
  explicit echo(Initializers&&... initializers)
      : process_{launch(loop_, failure_, cat, v2::process_stdio{to_, from_, {}},
                        std::forward<Initializers>(initializers)...)} {
    REQUIRE_FALSE(failure_);
    // Once it has answered, it has loaded what it needs, and opens no more.
    CHECK(answer_to("begin\n") == "begin\n");
  }

  [[nodiscard]] pid_t pid() const { return process_.id(); }

  std::string answer_to(const std::string& line) {
    asio::write(to_, asio::buffer(line));
    std::string text;
    asio::read_until(from_, asio::dynamic_buffer(text), '\n');
    return text;
  }

  [[nodiscard]] std::string said_of_it(const std::string& file) const {
    std::ifstream from{"/proc/" + std::to_string(pid()) + "/" + file};
    return {std::istreambuf_iterator<char>{from}, {}};
  }
  [[nodiscard]] std::vector<int> descriptors() const {
    return test::numbers_in(("/proc/" + std::to_string(pid()) + "/fd").c_str());
  }
  [[nodiscard]] std::filesystem::path descriptor(int number) const {
    return std::filesystem::read_symlink("/proc/" + std::to_string(pid()) + "/fd/" +
                                         std::to_string(number));
  }
  [[nodiscard]] std::filesystem::path directory() const {
    return std::filesystem::read_symlink("/proc/" + std::to_string(pid()) + "/cwd");
  }
  /// Bit n - 1 stands for the signal n.
  [[nodiscard]] unsigned long long signals(const std::string& which) const {
    const std::string all = said_of_it("status");
    return std::stoull(all.substr(all.find(which + ":") + which.size() + 1), nullptr, 16);
  }

 private:
  asio::io_context loop_{1};
  asio::writable_pipe to_{loop_};
  asio::readable_pipe from_{loop_};
  boost::system::error_code failure_;
  spawn_launcher::process process_;
};

}  // namespace launched
