// SPDX-License-Identifier: BSL-1.0
#include <coterie/detail/kept_value.hpp>

#include <mutex>
#include <stdexcept>
#include <unordered_map>
#include <utility>

namespace coterie::detail {

namespace {

class value_store {
 public:
  // Lives for ever: options may be global, and are then destroyed after everything here.
  static value_store& instance() {
    static auto* const the_store = new value_store;
    return *the_store;
  }

  std::uint64_t keep(std::shared_ptr<const void> value) {
    const std::scoped_lock lock{mutex_};
    values_.emplace(last_ + 1, std::move(value));
    return ++last_;
  }

  std::shared_ptr<const void> find(std::uint64_t number) {
    const std::scoped_lock lock{mutex_};
    const auto found = values_.find(number);
    return found == values_.end() ? nullptr : found->second;
  }

  void give_back(std::uint64_t number) noexcept {
    // The value may have a destructor of the program's own, which runs outside the lock.
    std::shared_ptr<const void> value;
    const std::scoped_lock lock{mutex_};
    const auto found = values_.find(number);
    if (found == values_.end()) return;
    value = std::move(found->second);
    values_.erase(found);
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::shared_ptr<const void>> values_;
  std::uint64_t last_ = 0;
};

std::uint64_t keep(std::shared_ptr<const void> value) {
  return value ? value_store::instance().keep(std::move(value)) : 0;
}

}  // namespace

kept_value::kept_value(std::shared_ptr<const void> value) : number_{keep(std::move(value))} {}

kept_value::kept_value(const kept_value& other) : number_{keep(other.get())} {}

kept_value& kept_value::operator=(const kept_value& other) {
  kept_value copy{other};
  std::swap(number_, copy.number_);
  return *this;
}

std::shared_ptr<const void> kept_value::get() const {
  if (number_ == 0) return nullptr;
  auto value = value_store::instance().find(number_);
  if (value) return value;
  throw std::invalid_argument{
      "coterie: an option of the pool is gone, because the options were made with a co_await inside "
      "their braces, and g++ 12 ends such values early: await first, name what it gives, and make "
      "the options with that"};
}

void kept_value::give_back() const noexcept { value_store::instance().give_back(number_); }

}  // namespace coterie::detail
