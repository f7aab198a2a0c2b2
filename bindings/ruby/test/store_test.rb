# frozen_string_literal: true

require "process_helper"

# Processes one after another.
class StoreTest < ProcessTest
  def test_the_next_one_has_the_token
    assert_one_login(Array.new(3) { answers("ask") }.flatten, 3)
  end

  def test_a_directory_of_ones_own
    ENV["TPS_CACHE"] = "file:#{@directory}/own"
    assert_one_login(Array.new(2) { answers("ask") }.flatten, 2)
    assert_equal ["own"], Dir.children(@directory)
  end

  def test_memory_is_a_processs_own
    ENV["TPS_CACHE"] = "memory"
    assert_equal 2, Array.new(2) { answers("ask") }.flatten.map(&:token).uniq.size
    assert_equal 2, @organization.logins
    assert_empty Dir.children(@directory)
  end
end
