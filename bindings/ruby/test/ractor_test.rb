# frozen_string_literal: true

require "test_helper"

# Other Ractors are refused in words, and a token may be sent to them.
class RactorTest < TPSTest
  def setup
    super
    @organization = Organization.new
  end

  {
    "login" => "TPS.login(**LOGIN)", "new" => "TPS::Client.new(**LOGIN)", "from_env" => "TPS.from_env"
  }.each do |name, call|
    define_method(:"test_#{name}") do
      assert_match(/\ATPS::LibraryError: TPS works in the main Ractor alone: take the token there/, in_ractor(<<~RUBY))
        Ractor.new do
          #{call}
        rescue Exception => e
          "\#{e.class}: \#{e.message}"
        end
      RUBY
      assert_equal 0, @organization.logins
    end
  end

  def test_a_client_that_is_handed_over
    assert_match(/\ATPS::LibraryError: TPS works in the main Ractor alone/, in_ractor(<<~RUBY))
      client = TPS.login(**LOGIN)
      begin
        Ractor.new(client) do |copy|
          copy.token
        rescue Exception => e
          "\#{e.class}: \#{e.message}"
        end
      rescue Exception => e
        Struct.new(:take).new("\#{e.class}: \#{e.message}")
      end
    RUBY
  end

  def test_a_token_that_is_sent
    assert_equal "64", in_ractor("Ractor.new(TPS.login(**LOGIN).token) { |token| token.size }")
    assert_equal 1, @organization.logins
  end

  private

  def in_ractor(code)
    script = <<~RUBY
      LOGIN = Ractor.make_shareable(#{@organization.login})
      ractor = begin
        #{code}
      end
      print ractor.respond_to?(:take) ? ractor.take : ractor.value
    RUBY
    # Ruby calls Ractors experimental.
    output, errors, = Open3.capture3(RbConfig.ruby, "-W0", "-I#{LIB}", "-rtps", "-e", script)
    assert_empty errors
    output
  end
end
