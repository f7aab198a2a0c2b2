# frozen_string_literal: true

# request.rb: client.request beside a bare Net::HTTP request with the same header, with `ca_file` and without. JSON
# objects, one a line.

require "json"
require "net/http"
require "tps"

ROUNDS = 15
CALLS = 20
SERVER, AUTHORITY, BUNDLE = ENV.values_at("BENCH_TLS", "BENCH_CA", "BENCH_BUNDLE")

def time
  start = Process.clock_gettime(Process::CLOCK_MONOTONIC, :microsecond)
  CALLS.times { yield.code == "200" or raise "no answer" }
  (Process.clock_gettime(Process::CLOCK_MONOTONIC, :microsecond) - start).fdiv(1000 * CALLS)
end

def bare(uri, token, tls)
  request = Net::HTTP::Get.new(uri, "Authorization" => "Token #{token}")
  Net::HTTP.start(uri.hostname, uri.port, nil, tls) { |http| http.request(request) }
end

def compare(row, client, uri, tls)
  ours = -> { client.request(Net::HTTP::Get.new(uri)) }
  other = -> { bare(uri, client.token, tls) }
  [ours, other].each(&:call)
  samples = Array.new(ROUNDS) { [time(&ours), time(&other)] }.transpose
  puts JSON.generate(row:, unit: "ms", ours: samples[0], against: "Net::HTTP", other: samples[1])
end

plain = TPS.from_env(cache: "memory")
compare("Ruby request", plain, URI("#{plain.stats[:base_url]}/api/v1/organizations/"), {})
if SERVER
  client = TPS.from_env(cache: "memory", base_url: SERVER, ca_file: AUTHORITY)
  store = OpenSSL::X509::Store.new.tap { |it| it.add_file(BUNDLE) }
  compare("Ruby request, ca_file", client, URI("#{SERVER}/api/v1/organizations/"), { use_ssl: true, cert_store: store })
end
