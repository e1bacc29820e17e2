// SPDX-License-Identifier: BSL-1.0

#include <string>

#include <catch2/catch.hpp>

#include "processes/tagged_lines.hpp"

using coterie::detail::tagged_lines;

TEST_CASE("given pieces of lines, when one has its end, then it comes with the tag") {
  tagged_lines lines{"[3] "};
  CHECK(lines.take("a line\nand a ha") == "[3] a line\n");
  CHECK(lines.take("lf").empty());
  CHECK(lines.take("\n\nthe third\nrest") == "[3] and a half\n[3] \n[3] the third\n");
  CHECK(lines.rest() == "[3] rest\n");
  CHECK(lines.rest().empty());
}

TEST_CASE("given whole lines only, when the end comes, then nothing is left") {
  tagged_lines lines{"#"};
  CHECK(lines.take("\n") == "#\n");
  CHECK(lines.rest().empty());
  CHECK(lines.take("").empty());
}

TEST_CASE("given a line that is too long, when it comes, then it goes out in pieces") {
  tagged_lines lines{"> "};
  const std::string half(tagged_lines::longest_line / 2, 'x');
  const std::string piece = "> " + half + half + "\n";
  SECTION("by and by") {
    CHECK(lines.take(half).empty());
    CHECK((lines.take(half) == piece));
    SECTION("its end is no line") { CHECK(lines.take("\nmore\n") == "> more\n"); }
    SECTION("an empty line behind it is one") { CHECK(lines.take("\n\n") == "> \n"); }
    SECTION("the rest is a piece") { CHECK(lines.take("more\n\n") == "> more\n> \n"); }
  }
  SECTION("at once") {
    CHECK((lines.take(half + half + half + "\n") == piece + "> " + half + "\n"));
  }
}
