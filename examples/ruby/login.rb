# frozen_string_literal: true

# The documentation's sample, made right: logs in once, and then reuses the token for every call.
#
#   export TPS_USERNAME=… TPS_PASSWORD=… TPS_ORGANIZATION_ID=…
#   ruby examples/ruby/login.rb

# Only in this repository, where the gem is not installed.
$LOAD_PATH.unshift File.expand_path("../../bindings/ruby/lib", __dir__)

require "json"
require "net/http"
require "tps"

# Or TPS.login(username: "…", password: "…", organization_id: "…").
client = TPS.from_env
puts "token: #{client.token}"

uri = URI("#{client.stats[:base_url]}/api/v1/organizations/")
response = client.request(Net::HTTP::Get.new(uri)) # with the token; once more with another one, should the server reject it
response.value # raises unless the answer is a success
puts "organization: #{JSON.parse(response.body)["results"].first["name"]}"

10_000.times { client.token }

logins = client.stats[:logins]
puts "asked for the token 10,000 times more: #{logins} login#{"s" unless logins == 1}"
