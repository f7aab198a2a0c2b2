# frozen_string_literal: true

require "test_helper"

# TPS::Client#with_token and the HTTP libraries as they come: wherever each puts a rejection, a token that was revoked
# costs one more request and one more login. Each in a Ruby of its own.
class HTTPLibrariesTest < TPSTest
  # What README.md shows, and what is left of the answer.
  HEADERS = 'headers: { "Authorization" => "Token #{token}" }' # rubocop:disable Lint/InterpolationCheck

  LIBRARIES = {
    "net/http" => ["Net::HTTP.get_response(URI(url), \"Authorization\" => \"Token \#{token}\")", "code"],
    "net/http_value" => ["Net::HTTP.get_response(URI(url), \"Authorization\" => \"Token \#{token}\").tap(&:value)",
                         "code"],
    "excon" => ["Excon.get(url, #{HEADERS})", "status"],
    "excon_expects" => ["Excon.get(url, #{HEADERS}, expects: 200)", "status"],
    "rest-client" => ["RestClient.get(url, { \"Authorization\" => \"Token \#{token}\" })", "code"],
    "rest-client_execute" => ["RestClient::Request.execute(method: :get, url:, #{HEADERS}, timeout: 5)", "code"],
    "open-uri" => ["URI(url).open(\"Authorization\" => \"Token \#{token}\")", "status.first"],
    "httparty" => ["HTTParty.get(url, #{HEADERS})", "code"],
    "httparty_raise_on" => ["HTTParty.get(url, #{HEADERS}, raise_on: [401, 403, 500])", "code"],
    "http" => ["HTTP.auth(\"Token \#{token}\").get(url)", "status"],
    "typhoeus" => ["Typhoeus.get(url, #{HEADERS})", "code"],
    "httpclient" => ["HTTPClient.get(url, header: { \"Authorization\" => \"Token \#{token}\" })", "status"],
    "httpclient_content" => [
      "HTTPClient.new.get_content(url, header: { \"Authorization\" => \"Token \#{token}\" }) && " \
      "Struct.new(:code).new(200)", "code"
    ],
    "faraday" => ["Faraday.get(url, nil, { \"Authorization\" => \"Token \#{token}\" })", "status"],
    "faraday_raise_error" => [
      "Faraday.new { |f| f.response :raise_error }.get(url, nil, { \"Authorization\" => \"Token \#{token}\" })",
      "status"
    ],
    "an_exception_around_it" => [
      "begin; Net::HTTP.get_response(URI(url), \"Authorization\" => \"Token \#{token}\").tap(&:value); " \
      "rescue StandardError; raise IOError, \"no list\"; end", "code"
    ]
  }.freeze

  FILES = { "an_exception_around_it" => "net/http", "httparty" => "httparty" }.freeze

  LIBRARIES.each do |name, (code, status)|
    test = name.tr("/-", "_")

    define_method(:"test_#{test}_and_a_revoked_token") do
      organization = Organization.new
      printed = print_of(name, organization.login, "client.token; revoke(#{organization.id.inspect})", code, status)

      assert_equal "2 200 2", printed
      assert_equal [2, 1], organization.counts.values_at(:logins, :api_calls)
    end

    # Permission is missing, not the token: once, and whatever the library makes of it.
    define_method(:"test_#{test}_and_another_403") do
      faults = Faults.new("organizations-403")
      printed = print_of(name, faults.login, "", code, status, faults.uri)

      assert_match(/\A1 /, printed)
      assert_equal 1, faults.logins
    end
  end

  private

  def print_of(name, login, before, code, status, url = "#{Organization::SERVER}/api/v1/organizations/")
    file = FILES.fetch(name) { name[%r{\A[a-z\-/]+}].delete_suffix("_") }
    script = <<~RUBY
      begin
        require #{file.inspect}
      rescue LoadError
        exit 9
      end
      require "net/http"
      require "tps"
      def revoke(id)
        Net::HTTP.post(URI("#{Organization::SERVER}/_test/organizations/\#{id}/revoke/"), "",
                       "Content-Type" => "application/json").value
      end
      client = TPS::Client.new(**#{login})
      url = #{url.to_s.inspect}
      #{before}
      times = 0
      begin
        response = client.with_token { |token| (times += 1) && (#{code}) }
        print times, " ", response.#{status}.to_s[/\\d+/], " ", client.stats[:logins]
      rescue StandardError => e
        print times, " ", e.class
      end
    RUBY
    # These libraries have warnings of their own.
    output, errors, process = Open3.capture3(RbConfig.ruby, "-W0", "-I#{LIB}", "-e", script)
    skip "needs #{file}" if process.exitstatus == 9
    assert_empty errors
    output
  end
end
