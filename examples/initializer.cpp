// SPDX-License-Identifier: BSL-1.0

// Shows what an initializer is for: something expensive that each worker makes once and all its
// tasks use. Here it is a connection to an SQLite database with a prepared statement.

#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <numeric>
#include <ranges>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

#include <coterie/coterie.hpp>

#include "coroutines.hpp"
#include "example.hpp"

namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

constexpr int days = 365;

struct closes {
  void operator()(sqlite3* file) const { sqlite3_close(file); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

/// A connection, and the query that is asked through it again and again.
class rain_database {
 public:
  explicit rain_database(const fs::path& path, int flags = SQLITE_OPEN_READONLY) {
    sqlite3* file = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &file, flags, nullptr);
    file_.reset(file);
    require(code == SQLITE_OK);
  }

  void run(const std::string& sql) {
    require(sqlite3_exec(file_.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  }

  /// Millimetres of rain at a station in the whole year.
  int total(int station) {
    if (!query_) {
      sqlite3_stmt* query = nullptr;
      constexpr auto text = "SELECT sum(millimetres) FROM rain WHERE station = ?";
      require(sqlite3_prepare_v2(file_.get(), text, -1, &query, nullptr) == SQLITE_OK);
      query_.reset(query);
    }
    sqlite3_reset(query_.get());
    sqlite3_bind_int(query_.get(), 1, station);
    require(sqlite3_step(query_.get()) == SQLITE_ROW);
    return sqlite3_column_int(query_.get(), 0);
  }

 private:
  void require(bool fine) const {
    if (!fine) throw std::runtime_error(std::string{"SQLite: "} + sqlite3_errmsg(file_.get()));
  }

  std::unique_ptr<sqlite3, closes> file_;
  std::unique_ptr<sqlite3_stmt, closes> query_;  // ends before the connection it belongs to
};

/// Rain that can be computed as well as looked up.
int millimetres(int station, int day) { return (station * 31 + day * 17) % 23; }

void make_database(const fs::path& path, int stations) {
  rain_database database{path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE};
  database.run("CREATE TABLE rain (station INTEGER, day INTEGER, millimetres INTEGER); BEGIN");
  for (int station = 0; station < stations; ++station) {
    std::string sql = "INSERT INTO rain VALUES ";
    for (int day = 0; day < days; ++day) {
      sql +=
          fmt::format("{}({},{},{})", day == 0 ? "" : ",", station, day, millimetres(station, day));
    }
    database.run(sql);
  }
  database.run("CREATE INDEX by_station ON rain (station); COMMIT");
}

// One in each worker process; the parent's stays empty.
std::unique_ptr<rain_database> connection;

void open_connection(const fs::path& path) { connection = std::make_unique<rain_database>(path); }
void close_connection() { connection.reset(); }

struct answer {
  int rank = 0;
  int total = 0;
};
answer ask(int station) { return {coterie::this_worker::rank(), connection->total(station)}; }

answer open_and_ask(const fs::path& path, int station) {
  return {coterie::this_worker::rank(), rain_database{path}.total(station)};
}

void check_answers(const std::vector<answer>& answers) {
  for (int station = 0; const answer& one : answers) {
    int expected = 0;
    for (int day = 0; day < days; ++day) expected += millimetres(station, day);
    example::check(one.total == expected, fmt::format("the rain at station {}", station));
    ++station;
  }
}

asio::awaitable<void> compare(const fs::path& path, int processes, int stations) {
  const auto executor = co_await asio::this_coro::executor;
  const auto items = std::views::iota(0, stations);
  coterie::pool pool{executor,
                     {.processes = processes,
                      .initializer = coterie::bind(open_connection, path),
                      .finalizer = close_connection}};
  co_await example::all_workers_ready(pool);

  const example::stopwatch each_watch;
  const auto slow = co_await pool.map(coterie::bind(open_and_ask, path), items);
  const double each = each_watch.seconds() / stations;
  const example::stopwatch once_watch;
  const auto quick = co_await pool.map(ask, items);
  const double once = once_watch.seconds() / stations;
  pool.close();
  co_await pool.join();

  check_answers(slow);
  check_answers(quick);
  std::map<int, int> queries;
  for (const answer& one : quick) ++queries[one.rank];
  for (const auto& [rank, number] : queries) {
    fmt::print("  worker {}: {:>4} of the queries, all through one connection\n", rank, number);
  }
  fmt::print("\n{:<34} {:>10} a query\n", "a connection for each query", example::duration(each));
  fmt::print("{:<34} {:>10} a query\n", "one in each worker (initializer)",
             example::duration(once));
  fmt::print("With the initializer the pool is {:.1f} times as fast here.\n", each / once);

  // A worker whose initializer throws has not started; no call waits for it in vain.
  bool failed = false;
  try {
    coterie::pool broken{
        executor,
        {.processes = 1, .initializer = coterie::bind(open_connection, path / "nowhere")}};
    co_await broken.apply(ask, 0);
  } catch (const coterie::start_failed& problem) {
    failed = true;
    fmt::print("\nWith a path that leads nowhere:\n  {}\n", problem.what());
  }
  example::check(failed, "a pool whose initializer fails says so");
}

asio::awaitable<int> with_database(int processes, int stations) {
  const example::temporary_folder folder;
  const fs::path path = folder.path() / "rain.sqlite";
  make_database(path, stations);
  fmt::print("{}: {} rows, {} kB\n", path.filename().string(), stations * days,
             fs::file_size(path) / 1000);
  co_await compare(path, processes, stations);
  co_return 0;
}

asio::awaitable<int> program(int argc, char** argv) {
  int processes = 0;
  int stations = 500;
  CLI::App app{"A database connection in each worker, made once by the pool's initializer."};
  example::add_processes(app, processes);
  app.add_option("--size", stations, "Stations, with 365 rows each in the database")
      ->check(CLI::Range(10, 10'000))
      ->capture_default_str();
  if (const auto code = example::parse(app, argc, argv)) co_return *code;
  co_return co_await example::until_interrupted(with_database(processes, stations));
}

}  // namespace

int main(int argc, char** argv) { return coterie::run(argc, argv, program); }
