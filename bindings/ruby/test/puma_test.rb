# frozen_string_literal: true

require "process_helper"
require "socket"

# Puma with four workers.
class PumaTest < ProcessTest
  WORKERS = 4
  REQUESTS = 48
  # Seconds. Puma 6 waits for a worker for 30 now and then, without this gem too.
  SHUTDOWN = `puma --version`.match?(/version [1-5]\./) ? 5 : 45
  BROKEN = ["", *[Errno::EPIPE, Errno::ECONNRESET].map { |error| error.new.message }].freeze
  CONFIGS = { "" => "", "_with_preload_app" => "preload_app!" }.freeze
  LOGINS = {
    "" => "",
    "_with_a_login_while_the_app_loads" => "TPS.from_env",
    "_with_a_login_under_way_when_the_app_has_loaded" => "Thread.new { TPS.from_env } and sleep 0.2"
  }.freeze

  CONFIGS.to_a.product(LOGINS.to_a) do |(config_name, config), (login_name, login)|
    define_method(:"test_cluster#{config_name}#{login_name}") do
      @organization.change(latency: 0.5)
      answers = puma(config, "#{login}\nrun ->(_env) { sleep 0.01 and [200, {}, [answer]] }")

      assert_one_login(answers, REQUESTS)
      assert_equal WORKERS, answers.map(&:pid).uniq.size
    end
  end

  # Workers that stay: one of them renews, while all go on with the current token.
  def test_cluster_that_renews_ahead
    @organization.change(token_life: 30)
    before, during, after = nil
    puma("", "run ->(_env) { [200, {}, [answer(TPS.from_env(lazy: true, refresh_ahead: 15))]] }") do |socket|
      before = at_once(socket)
      @organization.change(latency: 5)
      before += at_once(socket) while @organization.logins == 1 && sleep(0.2)
      during = at_once(socket)

      assert_equal [2, 1], @organization.counts.values_at(:logins, :tokens_made)
      after = at_once(socket) until sleep(0.2) && after&.none? { |answer| answer.token == before.first.token }
    end

    assert_equal 1, (before + during).map(&:token).uniq.size
    assert_equal 1, after.map(&:token).uniq.size
    assert_equal WORKERS, before.map(&:pid).uniq.size
    assert_equal [2, 2], @organization.counts.values_at(:logins, :tokens_made)
  end

  # Workers go on with the library that they have loaded; those of a phased restart load the new one.
  def test_a_new_library_under_running_workers
    content = File.binread(library)
    replaced = file("libtps.so", content)
    app = "run ->(_env) { sleep 0.01 and [200, {}, [answer]] }"
    before, after = puma("ENV['TPS_LIBRARY'] = #{replaced.inspect}", app) do |socket, pid|
      first = at_once(socket)
      # Other bytes, renamed into place.
      File.rename(file("newer.so", "#{content}newer"), replaced)
      again = at_once(socket)
      Process.kill(:USR1, pid)
      pids = first.map(&:pid)
      last = answered(socket) until last&.size == REQUESTS && last.none? { |answer| pids.include?(answer.pid) }
      [first + again, last]
    end

    assert_one_login(before + after, REQUESTS * 3)
  end

  private

  # Runs it for as long as the block takes, which gets the path of its socket and the process id.
  #
  # @return [Array<Answer>] what the block returns; without one, to requests that come all at once
  def puma(config, app)
    socket = File.join(@directory, "socket")
    config = file("puma.rb", <<~RUBY)
      environment "production"
      workers #{WORKERS}
      threads 4, 4
      bind "unix://#{socket}"
      #{config}
    RUBY
    rubyopt = { "RUBYOPT" => "-I#{LIB} -r#{SCRIPT}" }
    Open3.popen2e(rubyopt, "puma", "-C", config, file("config.ru", app)) do |_, log, process|
      # There is more than ASCII in it, whatever the locale.
      log.set_encoding(Encoding::UTF_8)
      wait_for_workers(log)
      answers = block_given? ? yield(socket, process.pid) : at_once(socket)
      assert_operator seconds { Process.kill(:TERM, process.pid) and log.read and process.join }, :<, SHUTDOWN
      answers
    end
  end

  def at_once(socket)
    bodies(socket).map { |body| parse(body) }
  end

  # The same during a restart: a worker that is about to end may break off a connection.
  def answered(socket)
    bodies(socket).difference(BROKEN).map { |body| parse(body) }
  end

  def bodies(socket)
    Array.new(REQUESTS) { Thread.new { get(socket) } }.map(&:value)
  end

  def file(name, content)
    File.join(@directory, name).tap { |path| File.binwrite(path, content) }
  end

  def wait_for_workers(log)
    lines = []
    lines << (log.gets or flunk lines.join) until lines.grep(/Worker \d+ .* booted/).size == WORKERS
  end

  def get(socket)
    response = UNIXSocket.open(socket) { |io| io.write("GET / HTTP/1.0\r\n\r\n") and io.read }
    response.split("\r\n\r\n").last.to_s
  rescue SystemCallError => e
    e.message
  end
end
