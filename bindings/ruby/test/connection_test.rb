# frozen_string_literal: true

require "pathname"
require "socket"
require "test_helper"
require "tps/connection"

# The requests that this gem sends itself follow the login: proxy, certificates, time limits.
class ConnectionTest < TPSTest
  # A proxy that knows CONNECT, and tells what it was asked for.
  class Proxy
    attr_reader :asked, :url

    def initialize
      @asked = Queue.new
      @server = TCPServer.new("127.0.0.1", 0)
      @url = "http://hari:s3cr%40t@127.0.0.1:#{@server.addr[1]}"
      @thread = Thread.new { loop { serve(@server.accept) } }
      @thread.report_on_exception = false
    end

    def close
      @thread.kill
      @server.close
    end

    private

    def serve(client)
      Thread.new do
        head = client.gets("\r\n\r\n").to_s
        target = head[/\ACONNECT (\S+)/, 1]
        @asked << [target, head[/^Proxy-Authorization: Basic (\S+)/i, 1]&.unpack1("m")]
        server = TCPSocket.new(*target.split(":"))
        client.write("HTTP/1.1 200 Connection established\r\n\r\n")
        [[client, server], [server, client]].map { |from, to| Thread.new { copy(from, to) } }.each(&:join)
      end.report_on_exception = false
    end

    def copy(from, to)
      IO.copy_stream(from, to)
    rescue SystemCallError, IOError
      nil
    ensure
      to.close_write rescue nil # rubocop:disable Style/RescueModifier -- it may be closed already
    end
  end

  PROXY = %w[HTTPS_PROXY https_proxy ALL_PROXY all_proxy NO_PROXY no_proxy HTTP_PROXY http_proxy].freeze

  def setup
    super
    PROXY.each { |name| ENV.delete(name) }
    @faults = Faults.new("ok")
    @base_url = @faults.uri("", server: ENV.fetch("TPS_TEST_TLS")).to_s
    @uri = URI("#{@base_url}/api/v1/organizations/")
    @proxy = Proxy.new
  end

  def teardown
    @proxy.close
    super
  end

  def test_the_proxy_of_the_option
    client = login(proxy: @proxy.url)
    assert_equal 1, @proxy.asked.size
    assert_equal "200", client.request(Net::HTTP::Get.new(@uri)).code

    assert_equal [["127.0.0.1:#{@uri.port}", "hari:s3cr@t"]] * 2, Array.new(@proxy.asked.size) { @proxy.asked.pop }
    assert_secret "s3cr", client.inspect, client.account.inspect, client.account.connection.inspect
  end

  { "HTTPS_PROXY" => 2, "all_proxy" => 2, "HTTP_PROXY" => 0 }.each do |name, times|
    define_method(:"test_the_proxy_of_the_environment_#{name}") do
      ENV[name] = @proxy.url
      assert_equal "200", login.request(Net::HTTP::Get.new(@uri)).code
      assert_equal times, @proxy.asked.size
    end
  end

  def test_no_proxy
    ENV["HTTPS_PROXY"] = @proxy.url
    ENV["NO_PROXY"] = "example.com, 127.0.0.0/8"
    assert_equal "200", login.request(Net::HTTP::Get.new(@uri)).code
    ENV["NO_PROXY"] = ""
    assert_equal "200", login(proxy: "none").request(Net::HTTP::Get.new(@uri)).code

    assert_equal 0, @proxy.asked.size
  end

  # As the login: later changes of the environment are not for this client.
  def test_the_environment_is_read_once
    client = login
    ENV["HTTPS_PROXY"] = "http://127.0.0.1:1"

    assert_equal "200", client.request(Net::HTTP::Get.new(@uri)).code
  end

  # It is never gone around.
  def test_a_proxy_that_ruby_cannot_use
    token = login.token
    client = login(proxy: "socks5://hari:s3cr@127.0.0.1:1", token:)
    error = assert_error(TPS::InvalidArgumentError, :invalid_argument, secrets: "s3cr") do
      client.request(Net::HTTP::Get.new(@uri))
    end
    assert_match(/http:/, error.message)
    assert_empty @faults.sent
  end

  def test_ca_file_as_a_path
    client = login(ca_file: Pathname(ENV.fetch("TPS_TEST_CA")))
    assert_equal "200", client.request(Net::HTTP::Get.new(@uri)).code
  end

  # They take 50 ms to read.
  def test_certificates_are_read_once
    client = login
    client.request(Net::HTTP::Get.new(@uri))
    read = 0
    trace = TracePoint.new(:c_call) { |call| read += 1 if %i[add_file set_default_paths].include?(call.method_id) }
    trace.enable { 3.times { client.request(Net::HTTP::Get.new(@uri)) } }

    assert_equal 0, read
  end

  def test_the_limit_for_an_answer
    faults = Faults.new("organizations-hang")
    client = TPS.login(**faults.login(timeout: 1))
    elapsed = seconds { assert_raises(Net::ReadTimeout) { client.request(Net::HTTP::Get.new(faults.uri)) } }

    assert_in_delta 1, elapsed, 0.5
    assert_equal 1, faults.sent.size
  end

  def test_the_limit_for_connecting
    client = TPS::Client.new(**Faults::CREDENTIALS, connect_timeout: 0.5, timeout: 7, cache: "memory")
    http = client.account.connection.to(URI("https://app.tpstreams.com/"))

    assert_equal [0.5, 0.5, 7.0, 7.0], [http.open_timeout, http.ssl_timeout, http.read_timeout, http.write_timeout]
  end

  # [NO_PROXY, excepted, not excepted]: the library's own table, since both must mean the same.
  EXCEPTIONS = [
    ["", [], [["a.example", 443]]],
    ["*", [["a.example", 443], ["[::1]", 80], ["10.0.0.1", 1]], []],
    ["tpstreams.com", [["tpstreams.com", 443], ["app.tpstreams.com", 443], ["APP.TPStreams.com.", 443]],
     [["nottpstreams.com", 443], ["tpstreams.com.evil.example", 443], ["com", 443]]],
    [".tpstreams.com", [["app.tpstreams.com", 443], ["tpstreams.com", 443]], [["xtpstreams.com", 443]]],
    ["*.tpstreams.com", [["app.tpstreams.com", 443]], [["xtpstreams.com", 443]]],
    ["TPStreams.COM.", [["app.tpstreams.com", 443]], []],
    ["app.tpstreams.com:443", [["app.tpstreams.com", 443]], [["app.tpstreams.com", 8443]]],
    ["a.example, b.example\tc.example\nd.example", [["b.example", 1], ["c.example", 1], ["d.example", 1]], []],
    [",, a.example ,", [["a.example", 1]], [["b.example", 1]]],
    ["192.0.2.0/24", [["192.0.2.7", 443]], [["192.0.3.7", 443], ["192.0.2.7.example", 443]]],
    ["192.0.2.7", [["192.0.2.7", 443]], [["192.0.2.70", 443], ["1.192.0.2.7", 443]]],
    ["192.0.2.7:8080", [["192.0.2.7", 8080]], [["192.0.2.7", 443]]],
    ["::1", [["[::1]", 443], ["::1", 443], ["[0:0:0:0:0:0:0:1]", 443]], [["[::2]", 443], ["127.0.0.1", 1]]],
    ["[::1]", [["[::1]", 443]], []],
    ["[2001:db8::1]:8443", [["[2001:db8::1]", 8443]], [["[2001:db8::1]", 443]]],
    ["2001:db8::/32", [["[2001:db8:1::9]", 443]], [["[2001:db9::9]", 443]]],
    ["::ffff:10.0.0.1", [["10.0.0.1", 443]], [["10.0.0.2", 443]]],
    ["::ffff:10.0.0.0/104", [["10.9.9.9", 443], ["[::ffff:10.1.1.1]", 443]], [["11.0.0.1", 443]]],
    ["10.0.0.0/0", [["192.0.2.7", 443]], [["a.example", 443], ["[::1]", 443]]],
    ["::/0", [["[2001:db8::1]", 443]], [["192.0.2.7", 443]]],
    ["10.0.0.0/33,10.0.0.0/x,/8,:80,.,*.", [], [["10.0.0.1", 80], ["a.example", 80]]],
    ["localhost", [["localhost", 80]], [["127.0.0.1", 80]]]
  ].freeze

  EXCEPTIONS.each_with_index do |(list, excepted, others), number|
    define_method(:"test_exceptions_#{number}") do
      no_proxy = TPS::NoProxy.new(list)
      excepted.each { |host, port| assert no_proxy.excepts?(host, port), "#{list.inspect} excepts #{host}:#{port}" }
      others.each { |host, port| refute no_proxy.excepts?(host, port), "#{list.inspect} excepts #{host}:#{port}" }
    end
  end

  private

  def login(**options)
    TPS::Client.new(**@faults.login(base_url: @base_url, ca_file: ENV.fetch("TPS_TEST_CA"), **options)).tap do |client|
      client.token unless options[:proxy].to_s.start_with?("socks")
    end
  end
end
