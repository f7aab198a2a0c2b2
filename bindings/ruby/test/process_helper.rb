# frozen_string_literal: true

require "fileutils"
require "test_helper"

# Tests of several processes, which find credentials and store in the environment; both are this test's alone.
class ProcessTest < TPSTest
  Answer = Struct.new(:pid, :token, :seconds)
  SCRIPT = File.join(__dir__, "process_script.rb")

  # Seconds, far more than any test takes: what is still there hangs.
  LIMIT = 60

  def setup
    super
    @directory = Dir.mktmpdir
    @organization = Organization.new
    ENV.update("XDG_STATE_HOME" => @directory, "TPS_BASE_URL" => Organization::SERVER,
               "TPS_USERNAME" => @organization.username, "TPS_PASSWORD" => @organization.password,
               "TPS_ORGANIZATION_ID" => @organization.id)
    @watch = Thread.new { sleep LIMIT and kill_all }
  end

  def teardown
    @watch.kill
    assert_empty processes, "still there"
  ensure
    kill_all
    FileUtils.rm_rf(@directory)
    super
  end

  # Runs a Ruby with the script until everything that comes of it has ended; the block goes on beside it.
  #
  # @yield [IO, Process::Waiter] its standard input, and itself
  # @return [Array<Answer>] what was said
  def answers(script, &beside)
    lines, status = run_ruby(script, &beside)
    assert_predicate status, :success?, lines.join("\n")
    lines.map { |line| parse(line) }
  end

  # @return [Array(Array<String>, Process::Status)]
  def run_ruby(script)
    Open3.popen2e(RbConfig.ruby, "-w", "-I#{LIB}", "-r#{SCRIPT}", "-e", script) do |input, output, process|
      yield input, process if block_given?
      [output.readlines(chomp: true), process.value]
    end
  end

  # For a script that waits by `gets` until its login is under way.
  def go_on_during_the_login(input)
    wait_for_login(@organization)
    input.puts
  end

  def parse(line)
    assert_match(/\A\d+ \h{64} \S+\z/, line)
    pid, token, seconds = line.split
    Answer.new(pid.to_i, token, seconds.to_f)
  end

  def assert_one_login(answers, count)
    assert_equal count, answers.size
    assert_equal 1, answers.map(&:token).uniq.size
    assert_equal 1, @organization.logins
  end

  # Each answer within so many seconds.
  def assert_prompt(answers, limit)
    assert_operator answers.map(&:seconds).max, :<, limit
  end

  private

  # Whatever this test started, daemons too, has its directory in the environment.
  def processes
    Dir["/proc/[0-9]*/environ"].filter_map do |file|
      file[/\d+/].to_i if File.binread(file).include?(@directory)
    rescue SystemCallError
      nil
    end
  end

  def kill_all
    processes.each { |pid| Process.kill(:KILL, pid) }
  rescue Errno::ESRCH
    retry
  end
end
