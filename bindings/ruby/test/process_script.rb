# frozen_string_literal: true

# What the scripts of the process tests are made of; see process_helper.rb.

require "tps"

$stdout.sync = true

# @return [String] which token this process gets, and after how long
def answer(client = nil)
  start = now
  token = (client || TPS.from_env(lazy: true)).token
  "#{Process.pid} #{token} #{now - start}"
end

# A line is a single write, since many processes share the pipe.
def ask(client = nil)
  $stdout.write("#{answer(client)}\n")
end

# Runs the block in a child, which must end well.
def in_child(&block)
  ended_well(fork(&block))
end

def ended_well(*children)
  children.each do |child|
    status = Process.wait2(child).last
    abort status.inspect unless status.success?
  end
end

def now
  Process.clock_gettime(Process::CLOCK_MONOTONIC)
end
