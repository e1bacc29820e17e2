// SPDX-License-Identifier: BSL-1.0

// Makes thumbnails of all JPEG and PNG files in a folder: serially, then in a pool. A file that is
// no picture fails alone: `map_settled` keeps its error beside the others' results. Without a
// folder it draws a set of pictures first, in the pool as well.

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

#include <coterie/coterie.hpp>

#include "coroutines.hpp"
#include "example.hpp"

#define STBI_FAILURE_USERMSG  // reasons for people, not for programmers
#define STB_IMAGE_IMPLEMENTATION
#include <stb_image.h>
#define STB_IMAGE_RESIZE_IMPLEMENTATION
#include <stb_image_resize.h>
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb_image_write.h>

namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

struct picture {
  int width = 0;
  int height = 0;
  int channels = 0;
  std::vector<std::uint8_t> pixels;
};

picture make_picture(int width, int height, int channels) {
  return {width, height, channels,
          std::vector<std::uint8_t>(static_cast<std::size_t>(width) * height * channels)};
}

std::string kind_of(const fs::path& file) {
  std::string kind = file.extension();
  std::ranges::transform(kind, kind.begin(), [](unsigned char c) { return std::tolower(c); });
  return kind;
}

picture load(const fs::path& file) {
  picture loaded;
  const std::unique_ptr<stbi_uc, decltype(&stbi_image_free)> pixels{
      stbi_load(file.c_str(), &loaded.width, &loaded.height, &loaded.channels, 0),
      &stbi_image_free};
  if (!pixels) throw std::runtime_error(stbi_failure_reason());
  const auto size = static_cast<std::size_t>(loaded.width) * loaded.height * loaded.channels;
  loaded.pixels.assign(pixels.get(), pixels.get() + size);
  return loaded;
}

void save(const picture& what, const fs::path& file) {
  const auto& [width, height, channels, pixels] = what;
  const bool written =
      kind_of(file) == ".png"
          ? stbi_write_png(file.c_str(), width, height, channels, pixels.data(), 0) != 0
          : stbi_write_jpg(file.c_str(), width, height, channels, pixels.data(), 85) != 0;
  if (!written) throw std::runtime_error("cannot write " + file.string());
}

/// What became of a picture.
struct thumbnail {
  int width = 0;
  int height = 0;
  int small_width = 0;
  int small_height = 0;
};

/// The task: reads a file and writes a smaller one of the same name and kind.
thumbnail shrink(const fs::path& to, int side, const fs::path& file) {
  const picture large = load(file);
  const double scale =
      std::min(1.0, static_cast<double>(side) / std::max(large.width, large.height));
  const auto scaled = [scale](int length) {
    return std::max(1, static_cast<int>(std::lround(length * scale)));
  };
  picture small = make_picture(scaled(large.width), scaled(large.height), large.channels);
  const int alpha = large.channels % 2 == 0 ? large.channels - 1 : STBIR_ALPHA_CHANNEL_NONE;
  stbir_resize_uint8_srgb(large.pixels.data(), large.width, large.height, 0, small.pixels.data(),
                          small.width, small.height, 0, small.channels, alpha, 0);
  save(small, to / file.filename());
  return {large.width, large.height, small.width, small.height};
}

/// Draws a picture of its own for each index, every other one as a PNG file.
fs::path draw(const fs::path& to, int width, int index) {
  picture drawn = make_picture(width, width * 3 / 4, 3);
  auto pixel = drawn.pixels.begin();
  for (int y = 0; y < drawn.height; ++y) {
    for (int x = 0; x < drawn.width; ++x) {
      for (int channel = 0; channel < 3; ++channel) {
        const double wave = std::sin((x * (channel + 1) + y * index) * 6.0 / width);
        *pixel++ = static_cast<std::uint8_t>(127.5 + 127.5 * wave);
      }
    }
  }
  fs::path file = to / fmt::format("picture-{:02}.{}", index, index % 2 == 0 ? "jpg" : "png");
  save(drawn, file);
  return file;
}

std::string contents(const fs::path& file) {
  std::ifstream stream{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{stream}, {}};
}

std::vector<fs::path> pictures_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator{folder}) {
    const std::string kind = kind_of(entry.path());
    if (entry.is_regular_file() && (kind == ".jpg" || kind == ".jpeg" || kind == ".png")) {
      files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  return files;
}

std::string reason_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& problem) {
    return problem.what();
  }
}

/// A file's name in a column of 24 characters.
std::string column(const fs::path& file) {
  const std::string name = file.filename();
  return name.size() <= 24 ? name : name.substr(0, 21) + "...";
}

/// A line of the table. What it says of the thumbnail is read from the file.
void print_thumbnail(const fs::path& large, const fs::path& small, const thumbnail& made) {
  int width = 0;
  int height = 0;
  stbi_info(small.c_str(), &width, &height, nullptr);
  example::check(width == made.small_width && height == made.small_height,
                 "the size of " + small.string());
  const auto kilobytes = [](const fs::path& file) {
    return static_cast<double>(fs::file_size(file)) * 1e-3;
  };
  fmt::print("{:<24} {:>11} {:>8.1f} {:>12} {:>8.1f}\n", column(large),
             fmt::format("{} x {}", made.width, made.height), kilobytes(large),
             fmt::format("{} x {}", width, height), kilobytes(small));
}

/// Makes all thumbnails one after the other. Returns the time that it takes.
double shrink_serially(const std::vector<fs::path>& files, const fs::path& to, int side) {
  const example::stopwatch watch;
  for (const fs::path& file : files) {
    try {
      shrink(to, side, file);
    } catch (const std::runtime_error&) {  // told of when the pool finds the same
    }
  }
  return watch.seconds();
}

/// Makes them in the pool, and compares them with serial ones. Returns how many failed.
asio::awaitable<int> shrink_all(coterie::pool& pool, const std::vector<fs::path>& files,
                                const fs::path& output, const fs::path& scratch, int side) {
  // One task for the serial run: a single worker does it all, and Ctrl-C is heard meanwhile.
  co_await example::all_workers_ready(pool);
  const double serial = co_await pool.apply(shrink_serially, files, scratch, side);
  const example::stopwatch watch;
  const auto outcomes = co_await pool.map_settled(coterie::bind(shrink, output, side), files);
  const std::vector runs{example::pool_run{pool.size(), watch.seconds()}};

  fmt::print("{:<24} {:>11} {:>8} {:>12} {:>8}\n", "file", "pixels", "kB", "thumbnail", "kB");
  int failed = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const fs::path name = files[i].filename();
    if (outcomes[i].has_value()) {
      print_thumbnail(files[i], output / name, *outcomes[i]);
      example::check(contents(output / name) == contents(scratch / name),
                     "the serial run and the pool differ on " + name.string());
    } else {
      ++failed;
      fmt::print("{:<24} {:>11}: {}\n", column(name), "failed", reason_of(outcomes[i].error()));
    }
  }
  fmt::print("\n");
  example::print_speed_up(serial, runs);
  const auto made = static_cast<int>(files.size()) - failed;
  fmt::print("\n{}, {:.0f} a second; {} failed. Those of the serial run are the same.\n",
             example::count(made, "thumbnail"), made / runs.front().seconds,
             example::count(failed, "file"));
  co_return failed;
}

/// What the command line asks for.
struct request {
  int processes = 0;
  fs::path folder;  ///< empty: pictures are drawn
  fs::path output;
  int side = 160;
  int pictures = 16;
  int width = 800;
};

asio::awaitable<int> make_thumbnails(request what) {
  const example::temporary_folder scratch;
  coterie::pool pool{co_await asio::this_coro::executor, {.processes = what.processes}};

  const bool drawn = what.folder.empty();
  if (drawn) {
    what.folder = scratch.path() / "pictures";
    fs::create_directories(what.folder);
    const auto numbers = std::views::iota(0, what.pictures);
    co_await pool.map(coterie::bind(draw, what.folder, what.width), numbers);
    std::ofstream{what.folder / "no-picture.jpg"} << "This is no picture.\n";
  }
  const std::vector<fs::path> files = pictures_in(what.folder);
  if (files.empty()) {
    fmt::print(stderr, "No .jpg, .jpeg or .png files in {}\n", what.folder.string());
    co_return 1;
  }

  const fs::path output = what.output.empty() ? scratch.path() / "thumbnails" : what.output;
  fs::create_directories(output);
  fs::create_directories(scratch.path() / "serial");
  const int failed = co_await shrink_all(pool, files, output, scratch.path() / "serial", what.side);
  if (!what.output.empty()) fmt::print("They are in {}.\n", fs::absolute(output).string());
  if (!drawn) co_return failed == 0 ? 0 : 1;

  example::check(std::cmp_equal(files.size(), what.pictures + 1), "pictures drawn");
  example::check(failed == 1, "one of the files is no picture");
  co_return 0;
}

asio::awaitable<int> program(int argc, char** argv) {
  request what;
  CLI::App app{"Makes thumbnails of the JPEG and PNG files in a folder."};
  app.add_option("DIR", what.folder,
                 "The folder; without it, a set of pictures is drawn and shrunk")
      ->check(CLI::ExistingDirectory);
  example::add_processes(app, what.processes);
  app.add_option("-o,--output", what.output, "Where thumbnails go; ./thumbnails if DIR is given");
  app.add_option("--side", what.side, "Longest side of a thumbnail, in pixels")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  app.add_option("--pictures", what.pictures, "How many pictures are drawn")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  app.add_option("--size", what.width, "Width of the pictures that are drawn, in pixels")
      ->check(CLI::Range(16, 10'000))
      ->capture_default_str();
  if (const auto code = example::parse(app, argc, argv)) co_return *code;

  if (!what.folder.empty()) {
    if (what.output.empty()) what.output = "thumbnails";
    if (fs::exists(what.output) && fs::equivalent(what.folder, what.output)) {
      fmt::print(stderr, "Thumbnails would replace the pictures in {}: choose another --output\n",
                 what.folder.string());
      co_return 2;
    }
  }
  co_return co_await example::until_interrupted(make_thumbnails(what));
}

}  // namespace

int main(int argc, char** argv) { return coterie::run(argc, argv, program); }
