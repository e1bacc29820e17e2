// SPDX-License-Identifier: BSL-1.0
// expect: this initializer has no on_setup that this launcher could call
// most lines: 60
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "processes/spawn_launcher.hpp"

auto start(boost::asio::io_context& loop, boost::system::error_code& failure) {
  const boost::process::v2::process_start_dir root{"/"};
  return coterie::detail::spawn_launcher{}(loop.get_executor(), failure, "/bin/true",
                                           std::vector<std::string>{}, root);
}
