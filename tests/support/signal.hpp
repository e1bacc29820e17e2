// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace test {

/// A directory that is there while the test is.
class directory {
 public:
  directory() {
    std::string name = (std::filesystem::temp_directory_path() / "coterie-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::system_error{errno, std::generic_category()};
    path_ = name;
  }
  directory(const directory&) = delete;
  directory& operator=(const directory&) = delete;
  ~directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

/// A named pipe through which tasks and the test tell each other how far they are. Its path travels
/// as an argument.
class signal {
 public:
  explicit signal(const boost::asio::any_io_executor& executor) : pipe_{executor} {
    if (::mkfifo(path().c_str(), 0600) != 0)
      throw std::system_error{errno, std::generic_category()};
    // Open for both, so that neither side ever waits for the other to open it.
    pipe_.assign(::open(path().c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  }

  [[nodiscard]] std::string path() const { return directory_.file("signal"); }

  /// In the test: waits until tasks have given the signal `times` times.
  boost::asio::awaitable<void> arrived(std::size_t times = 1) {
    std::string bytes(times, '\0');
    co_await boost::asio::async_read(pipe_, boost::asio::buffer(bytes), boost::asio::use_awaitable);
  }

  /// In the test: lets `times` tasks go on that wait for the signal.
  void give(std::size_t times = 1) {
    for (; times > 0; --times) pipe_.write_some(boost::asio::buffer("!", 1));
  }

 private:
  directory directory_;
  boost::asio::posix::stream_descriptor pipe_;
};

/// In a task: gives the signal once.
inline void give_signal(const std::string& path) {
  const int pipe = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (pipe < 0 || ::write(pipe, "!", 1) != 1) {
    throw std::system_error{errno, std::generic_category(), path};
  }
  ::close(pipe);
}

/// In a task: waits until the test gives the signal.
inline void await_signal(const std::string& path) {
  const int pipe = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (pipe < 0) throw std::system_error{errno, std::generic_category(), path};
  char byte{};
  while (::read(pipe, &byte, 1) < 0 && errno == EINTR) {
  }
  ::close(pipe);
}

/// In a task: leaves a mark in a file, which counts what ran in any process.
inline void leave_mark(const std::string& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0 || ::write(file, "!", 1) != 1) {
    throw std::system_error{errno, std::generic_category(), path};
  }
  ::close(file);
}

/// In the test: the marks in a file.
inline std::size_t marks_in(const std::string& path) {
  std::error_code none;
  const auto size = std::filesystem::file_size(path, none);
  return none ? 0 : static_cast<std::size_t>(size);
}

}  // namespace test
