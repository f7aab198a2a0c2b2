# frozen_string_literal: true

require "process_helper"

# However a login or a wait ends, no lock stays.
class EndingTest < ProcessTest
  def setup
    super
    @organization.change(latency: 1)
  end

  %w[exit exit!].each do |ending|
    define_method(:"test_#{ending}_during_a_login") do
      assert_others_have_a_token("Thread.new { ask }; gets; #{ending}") { |input,| input.puts }
    end
  end

  %i[INT TERM KILL].each do |signal|
    define_method(:"test_sig#{signal.downcase}_during_a_login") do
      assert_others_have_a_token("ask") { |_, process| Process.kill(signal, process.pid) }
    end
  end

  # A lock that went with a descriptor would stay as long as the child.
  def test_a_child_that_outlives_the_login
    assert_others_have_a_token("Thread.new { ask }; gets; fork { sleep 2.5 }; exit!") { |input,| input.puts }
  end

  def test_kill_of_a_thread_during_a_login
    answers = answers(<<~RUBY) { |input,| go_on_during_the_login(input) }
      thread = Thread.new { ask }
      gets
      thread.kill.join
      ask
    RUBY
    assert_one_login(answers + answers("ask"), 2)
  end

  def test_kill_of_a_thread_that_waits_for_another_process
    killed = nil
    answers = answers("ask") do
      wait_for_login(@organization)
      killed = answers("thread = Thread.new { ask }; sleep 0.2; thread.kill.join; ask")
    end
    assert_one_login(answers + killed + answers("ask"), 3)
  end

  private

  # @param script [String] logs in; the block ends it
  def assert_others_have_a_token(script)
    waiting = nil
    lines, = run_ruby(script) do |input, process|
      wait_for_login(@organization)
      @organization.change(latency: 0)
      waiting = Thread.new { answers("ended_well(*Array.new(3) { fork { ask } })") }
      sleep 0.3
      yield input, process
    end
    answers = waiting.value + answers("ask")

    assert_empty lines.grep(/\A\d+ \h{64}/)
    assert_equal [4, 1], [answers.size, answers.map(&:token).uniq.size]
    assert_prompt(answers, 2)
    assert_operator @organization.logins, :<=, 2
  end
end
