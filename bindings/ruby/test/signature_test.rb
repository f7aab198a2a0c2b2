# frozen_string_literal: true

require "rbs"
require "test_helper"
require "tps/faraday"
require "tps/testing"

# The signatures in sig are sound, complete, and true.
class SignatureTest < TPSTest
  SIGNATURES = File.expand_path("../sig", __dir__)
  LIBRARIES = YAML.load_file(File.join(SIGNATURES, "manifest.yaml"))["dependencies"].map { |it| it["name"] }
  OPTIONS = LIBRARIES.flat_map { |library| ["-r", library] }.push("-I", SIGNATURES)

  INTERNAL = %i[account].freeze

  # RBS looks at each call.
  RBS_TEST = { "RBS_TEST_TARGET" => "TPS::*", "RBS_TEST_RAISE" => "true", "RBS_TEST_LOGLEVEL" => "error",
               "RBS_TEST_OPT" => OPTIONS.join(" ") }.freeze

  def test_they_are_sound
    output, status = Open3.capture2e(RbConfig.ruby, Gem.bin_path("rbs", "rbs"), *OPTIONS, "validate", "--silent")
    assert_predicate status, :success?, output
  end

  def test_each_public_method_has_one
    [TPS, TPS::Testing, TPS::Client].each do |owner|
      owner.singleton_class.public_instance_methods(false).each do |name|
        assert_signature owner.method(name), singleton(owner)
      end
    end
    [TPS::Client, TPS::Testing::FakeClient, TPS::Error, TPS::FaradayMiddleware].each do |owner|
      (owner.public_instance_methods(false) - INTERNAL).each do |name|
        assert_signature owner.instance_method(name), instance(owner)
      end
    end
    [TPS::Client, TPS::Error, TPS::FaradayMiddleware].each do |owner|
      assert_signature owner.instance_method(:initialize), instance(owner)
    end
  end

  def test_each_error_has_one
    TPS.constants.map { |name| TPS.const_get(name) }.select { |it| it.is_a?(Class) && it <= TPS::Error }.each do |error|
      assert_includes(instance(error).ancestors.ancestors.map { |it| it.name.to_s }, "::TPS::Error")
    end
  end

  # RBS looks at each call while this runs.
  def test_they_are_true
    organization = Organization.new
    script = <<~RUBY
      require "net/http"
      require "tps/testing"

      uri = URI("#{Organization::SERVER}/api/v1/organizations/")
      client = TPS.login(**#{organization.login})
      [client, TPS::Testing.fake(tokens: ["t1", TPS::NetworkError.new("gone"), "t2"])].each do |client|
        client.authorization
        client.with_token { |token| token.size }
        client.invalidate(client.token)
        client.token rescue TPS::NetworkError
        client.stats && client.inspect && client.to_s && client.to_json && client.as_json && client.closed?
        client.logout
        client.close
        client.token
      rescue TPS::ClosedError => e
        print e.status, e.http_status.inspect, e.retry_after
      end
      client = TPS::Client.new(**#{organization.login})
      print client.request(Net::HTTP::Get.new(uri)).code
      client.request(Net::HTTP::Get.new(uri), http: nil) { |response| print response.code }
      client.invalidate(7)
    RUBY
    output, errors, = Open3.capture3(RBS_TEST, RbConfig.ruby, "-I#{LIB}", "-rrbs/test/setup", "-e", script)

    assert_equal "closednil0.0closednil0.0200200", output, errors
    # It did look.
    assert_match(/TPS::Client#invalidate.*expected `::String`/, errors)
  end

  # What these call and get is right by the signatures. The other tests give wrong arguments on purpose.
  %w[close events faraday request testing token with_token].each do |name|
    define_method(:"test_they_hold_for_#{name}_test") do
      output, status = Open3.capture2e(RBS_TEST, RbConfig.ruby, "-I#{LIB}", "-I#{__dir__}", "-rtps", "-rtps/testing",
                                       "-rrbs/test/setup", File.join(__dir__, "#{name}_test.rb"))
      assert_predicate status, :success?, output
      assert_match(/^[1-9]\d* runs/, output)
    end
  end

  private

  def assert_signature(method, definition)
    signature = definition.methods[method.name]
    assert signature, "#{method.owner}##{method.name} has no signature"
    kinds = method.parameters.group_by(&:first).transform_values { |found| found.map(&:last) }
    functions = signature.method_types.map(&:type)
    functions.each do |function|
      assert_equal kinds.fetch(:req, []).size, function.required_positionals.size, method.inspect
      assert_equal kinds.fetch(:opt, []).size, function.optional_positionals.size, method.inspect
      # What goes on to another method by `...` or `**` is named in the signature.
      assert_equal kinds.key?(:rest), !function.rest_positionals.nil?, method.inspect unless forwards?(method)
      refute function.rest_keywords, method.inspect
    end
    keywords = functions.flat_map { |it| [*it.required_keywords.keys, *it.optional_keywords.keys] }.uniq
    named = kinds.values_at(:key, :keyreq).flatten.compact
    assert_empty named - keywords, method.inspect
    assert_empty keywords - named, method.inspect unless kinds.key?(:keyrest)
  end

  def forwards?(method)
    method.parameters.include?(%i[block &])
  end

  def instance(owner)
    builder.build_instance(type(owner))
  end

  def singleton(owner)
    builder.build_singleton(type(owner))
  end

  def type(owner)
    RBS::TypeName.new(name: owner.name.split("::").last.to_sym,
                      namespace: RBS::Namespace.parse("::#{owner.name.split("::")[..-2].join("::")}"))
  end

  def builder
    @builder ||= begin
      loader = RBS::EnvironmentLoader.new
      loader.add(path: Pathname(SIGNATURES))
      LIBRARIES.each { |library| loader.add(library:, version: nil) }
      RBS::DefinitionBuilder.new(env: RBS::Environment.from_loader(loader).resolve_type_names)
    end
  end
end
