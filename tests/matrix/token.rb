# frozen_string_literal: true

# Prints the token. With the argument `replace`: reports it as rejected, and prints the next one.
require "tps"

begin
  client = TPS.from_env
  client.invalidate(client.token) if ARGV.any?
  puts client.token
rescue TPS::Error => e
  puts e.message
  exit 1
end
