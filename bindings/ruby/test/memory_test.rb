# frozen_string_literal: true

require "test_helper"

class MemoryTest < TPSTest
  TOKENS = 100_000

  # What was not freed would be 8 MB if it were only the tokens, or only the errors.
  MOST_KB = 2_500

  # Each token is read from the library: what Ruby keeps of it is taken away before.
  def test_tokens_and_exceptions
    script = <<~RUBY
      client = TPS.login(**#{Organization.new.login})
      kept = TPS::KeptTokens
      address = client.instance_variable_get(:@address)
      round = lambda do |times|
        times.times do |number|
          kept.forget(address)
          client.authorization
          begin
            client.invalidate("") if number.even?
            client.with_token { raise TPS::TokenRejected, "no" } if number % 5000 == 1
          rescue TPS::Error => e
            e.full_message
          end
        end
        GC.start
        File.read("/proc/self/status")[/VmRSS:\\s*(\\d+)/, 1].to_i
      end
      round.call(#{TOKENS / 2})
      before = round.call(1000)
      puts round.call(#{TOKENS}) - before
    RUBY
    output, errors, status = ruby(script)

    assert_predicate status, :success?, errors
    assert_operator Integer(output), :<, MOST_KB
  end
end
