# frozen_string_literal: true

require "process_helper"

# A signal every millisecond.
class SignalTest < ProcessTest
  def test_during_a_login_and_a_wait
    @organization.change(latency: 1)
    assert_one_login(Array.new(2) { Thread.new { under_fire } }.flat_map(&:value), 2)
  end

  def test_a_handler_may_ask
    @organization.change(latency: 1)
    assert_one_login(under_fire("client.token"), 1)
  end

  private

  # @return [Array<Answer>] of a process that logs in or waits
  def under_fire(handler = nil)
    answers(<<~RUBY)
      client = TPS.from_env(lazy: true)
      signals = 0
      trap(:ALRM) { [signals += 1, #{handler}] }
      parent = Process.pid
      child = fork { loop { Process.kill(:ALRM, parent) and sleep 0.001 } }
      ask(client)
      Process.kill(:KILL, child)
      Process.wait(child)
      abort "\#{signals} signals" if signals < 100
    RUBY
  end
end
