# frozen_string_literal: true

require "process_helper"
require "socket"

# Puma with four workers.
class PumaTest < ProcessTest
  WORKERS = 4
  REQUESTS = 48
  CONFIGS = { "" => "", "_with_preload_app" => "preload_app!" }.freeze
  LOGINS = {
    "" => "",
    "_with_a_login_while_the_app_loads" => "TPS.login",
    "_with_a_login_under_way_when_the_app_has_loaded" => "Thread.new { TPS.login } and sleep 0.2"
  }.freeze

  CONFIGS.to_a.product(LOGINS.to_a) do |(config_name, config), (login_name, login)|
    define_method(:"test_cluster#{config_name}#{login_name}") do
      @organization.change(latency: 0.5)
      answers = puma(config, "#{login}\nrun ->(_env) { sleep 0.01 and [200, {}, [answer]] }")

      assert_one_login(answers, REQUESTS)
      assert_equal WORKERS, answers.map(&:pid).uniq.size
    end
  end

  private

  # @return [Array<Answer>] to requests that come all at once
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
      bodies = Array.new(REQUESTS) { Thread.new { get(socket) } }.map(&:value)
      assert_operator seconds { Process.kill(:TERM, process.pid) and log.read and process.join }, :<, 5
      bodies.map { |body| parse(body) }
    end
  end

  def file(name, content)
    File.join(@directory, name).tap { |path| File.write(path, content) }
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
