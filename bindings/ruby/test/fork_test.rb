# frozen_string_literal: true

require "process_helper"

class ForkTest < ProcessTest
  # As Resque does.
  def test_a_process_for_each_job
    assert_one_login(answers("10.times { in_child { ask } }"), 10)
  end

  def test_a_process_for_each_job_of_a_parent_that_asked
    assert_one_login(answers("ask; 10.times { in_child { ask } }"), 11)
  end

  def test_from_a_thread_while_others_ask
    answers = answers(<<~RUBY)
      client = TPS.from_env(lazy: true)
      4.times { Thread.new { loop { client.token and client.stats } } }
      Thread.new { 5.times { in_child { ask(client) } } }.join
    RUBY
    assert_one_login(answers, 5)
    assert_prompt(answers, 2)
  end

  def test_popen
    answers = answers(<<~RUBY)
      2.times do
        IO.popen("-") { |child| child ? puts(child.read) : ask }
        $?.success? or abort
        ask
      end
    RUBY
    assert_one_login(answers, 4)
    assert_prompt(answers, 2)
  end

  def test_grandchildren
    answers = answers("in_child { in_child { in_child { ask }; ask }; ask }; ask")
    assert_one_login(answers, 4)
    assert_prompt(answers, 2)
  end

  def test_a_daemon
    answers = answers("Process.daemon(true, true); ask") + answers("ask; Process.daemon(true, true); ask")
    assert_one_login(answers, 3)
    assert_prompt(answers, 2)
  end

  # Without a login and without a thread.
  %w[auto memory].each do |cache|
    define_method(:"test_a_child_has_its_parents_token_cache_#{cache}") do
      ENV["TPS_CACHE"] = cache
      answers = answers(<<~RUBY)
        ask(client = TPS.from_env(lazy: true))
        20.times do
          in_child do
            ask(client)
            ask
            # Ruby 3.3 has one of its own.
            Dir["/proc/self/task/*/comm"].none? { |file| File.read(file).start_with?("tps") } or abort "a thread"
          end
        end
      RUBY
      assert_one_login(answers, 41)
      assert_prompt(answers.drop(1), 1)
    end
  end

  def test_a_token_that_a_child_has_replaced
    answers("ask")
    @organization.revoke
    answers = answers(<<~RUBY)
      client = TPS.from_env
      rejected = client.token
      in_child { client.invalidate(rejected) or ask(client) }
      client.invalidate(rejected)
      ask(client)
    RUBY
    assert_equal [2, 1], [answers.size, answers.map(&:token).uniq.size]
    assert_equal 2, @organization.logins
  end

  def test_children_of_many_threads_end
    answers = answers(<<~RUBY)
      client = TPS.from_env
      8.times { Thread.new { loop { TPS.from_env.stats and client.invalidate("another") } } }
      20.times { ended_well(*Array.new(25) { |number| fork { ask if number.odd? } }) }
    RUBY
    assert_one_login(answers, 240)
  end

  def test_children_made_during_a_login_wait_for_it
    @organization.change(latency: 2)
    answers = answers(<<~RUBY) { |input,| go_on_during_the_login(input) }
      thread = Thread.new { ask }
      gets
      ended_well(*Array.new(5) { fork { ask } })
      thread.join
    RUBY
    assert_one_login(answers, 6)
    assert_prompt(answers, 4)
  end

  # Without a store its parent's login is of no use to it.
  def test_a_child_made_during_a_login_in_memory_logs_in
    @organization.change(latency: 1)
    ENV["TPS_CACHE"] = "memory"
    answers = answers(<<~RUBY) { |input,| go_on_during_the_login(input) }
      client = TPS.from_env(lazy: true)
      thread = Thread.new { ask(client) }
      gets
      in_child { ask(client) }
      thread.join
    RUBY
    assert_equal 2, answers.map(&:token).uniq.size
    assert_equal 2, @organization.logins
    assert_prompt(answers, 2)
  end
end
