// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include "processes/tagged_lines.hpp"
#include "system/unique_descriptor.hpp"

namespace coterie::detail {

/// Writes on a stream of this process, as tagged lines, what a worker writes into a pipe.
class worker_output {
 public:
  /// `pipe` is read, `stream` (1 or 2) is written. Throws `boost::system::system_error` if the pipe
  /// cannot be watched.
  worker_output(const boost::asio::any_io_executor& executor, unique_descriptor pipe,
                std::string tag, int stream);

  /// Calls `handler()` when there is something in the pipe, or, after `end`, soon. It calls
  /// `arrived`.
  template <class Handler>
  void async_wait(Handler handler) {
    waiting_ = true;
    pipe_->async_wait(descriptor_type::wait_read,
                      [handler = std::move(handler)](const auto&) mutable { handler(); });
  }

  /// Takes in that the handler of `async_wait` was called, and writes what has come. False if
  /// nothing more will come, or if the stream cannot be written: the pipe is closed then, and it is
  /// for the worker as if it wrote into that stream itself.
  [[nodiscard]] bool arrived() noexcept;

  /// Ends a wait that is going on; its handler is called.
  void stop_waiting();

  /// Writes what is there, and the last line even without its end. Gives the pipe back, or leaves
  /// that to `arrived` if a wait is going on.
  void end() noexcept;

  /// Whether no wait is going on.
  [[nodiscard]] bool at_rest() const noexcept { return !waiting_; }

  /// Like `end`, and gives the pipe back at once, because the event loop is being destroyed.
  void abandon() noexcept;

 private:
  using descriptor_type = boost::asio::posix::basic_stream_descriptor<boost::asio::any_io_executor>;

  enum class found { something, nothing, the_end };
  found pass_on() noexcept;

  // Empty once given back, for the reasons given in `link_socket`.
  std::optional<descriptor_type> pipe_;
  std::unique_ptr<char[]> piece_;
  tagged_lines lines_;
  int stream_;
  bool waiting_ = false;
  bool ended_ = false;
};

}  // namespace coterie::detail
