# frozen_string_literal: true

# token.rb [PREFIX]: client.token beside a cache of Rails' and beside what one would write by hand. JSON objects, one a
# line. PREFIX tells apart what is measured with different tokens.

require "active_support"
require "active_support/cache"
require "json"
require "tps"

ROUNDS = 15
CALLS = 100_000

# A token with its end, kept by hand.
class ByHand
  def initialize(token)
    @lock = Mutex.new
    @tokens = { "token" => [token, Process.clock_gettime(Process::CLOCK_MONOTONIC) + 36_000] }
  end

  def token
    @lock.synchronize do
      token, ends = @tokens.fetch("token")
      Process.clock_gettime(Process::CLOCK_MONOTONIC) < ends ? token : raise("log in")
    end
  end
end

def time
  start = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
  yield
  (Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond) - start).fdiv(CALLS)
end

client = TPS.from_env(cache: "memory")
store = ActiveSupport::Cache::MemoryStore.new
by_hand = ByHand.new(client.token)
store.write("token", client.token)

ours = -> { CALLS.times { client.token } }
{
  ["Ruby token", "MemoryStore"] => -> { CALLS.times { store.fetch("token") { raise "log in" } } },
  ["Ruby token by hand", "Mutex, Hash, clock"] => -> { CALLS.times { by_hand.token } }
}.each do |(row, against), other|
  [ours, other].each(&:call)
  samples = Array.new(ROUNDS) { [time(&ours), time(&other)] }.transpose
  puts JSON.generate(row: "#{ARGV[0]}#{row}", unit: "ns", ours: samples[0], against:, other: samples[1])
end
