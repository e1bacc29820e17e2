// SPDX-License-Identifier: BSL-1.0
// expect: this initializer runs code between fork and exec
// most lines: 60
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "processes/spawn_launcher.hpp"

struct nicer {
  boost::system::error_code on_exec_setup(boost::process::v2::posix::default_launcher&,
                                          const boost::process::v2::filesystem::path&,
                                          const char* const*);
};

auto start(boost::asio::io_context& loop, boost::system::error_code& failure) {
  return coterie::detail::spawn_launcher{}(loop.get_executor(), failure, "/bin/true",
                                           std::vector<std::string>{}, nicer{});
}
