# frozen_string_literal: true

# login.rb: first logins over TLS by the library, beside Net::HTTP with the same request. One JSON object.

require "json"
require "net/http"
require "tps"

ROUNDS = 31
SERVER, AUTHORITY, BUNDLE, DIRECT = ENV.values_at("BENCH_TLS", "BENCH_CA", "BENCH_BUNDLE", "TPS_BASE_URL")

def organization
  made = Net::HTTP.post(URI("#{DIRECT}/_test/organizations/"), "{}", "Content-Type" => "application/json").body
  JSON.parse(made, symbolize_names: true).slice(:username, :password, :organization_id)
end

def library(login)
  TPS.login(**login, base_url: SERVER, ca_file: AUTHORITY, cache: "memory").token
end

def net_http(login)
  uri = URI("#{SERVER}/api/auth/login/")
  headers = { "Content-Type" => "application/json", "Accept" => "application/json" }
  Net::HTTP.start(uri.host, uri.port, use_ssl: true, ca_file: BUNDLE) do |http|
    JSON.parse(http.post(uri.path, JSON.generate(login), headers).body).fetch("token")
  end
end

def time
  login = organization
  start = Process.clock_gettime(Process::CLOCK_MONOTONIC, :microsecond)
  yield(login).size == 64 or raise "no token"
  (Process.clock_gettime(Process::CLOCK_MONOTONIC, :microsecond) - start).fdiv(1000)
end

time { |login| library(login) }
time { |login| net_http(login) }
samples = Array.new(ROUNDS) { [time { |login| library(login) }, time { |login| net_http(login) }] }.transpose
puts JSON.generate(row: "Ruby login", unit: "ms", ours: samples[0], against: "Net::HTTP", other: samples[1])
