# frozen_string_literal: true

require "rails/railtie"

module TPS # rubocop:disable Style/Documentation -- see tps.rb
  # Rails' part: its logger, `config.tps`, and {TPS.client}. Loaded only where Rails is.
  #
  #   config.tps.timeout = 5.seconds   # any option of TPS::Client.new
  #   config.tps.credentials = -> { Account.first.slice(:username, :password, :organization_id) }
  #   config.tps.fake = true           # config/environments/test.rb: no client touches the network
  #
  # Without `config.tps.credentials` they are Rails' own credentials under `tps`, or, where there are none, the
  # environment's. They are asked for at the first token: an application boots without them.
  class Railtie < ::Rails::Railtie
    config.tps = ::ActiveSupport::OrderedOptions.new

    initializer "tps.logger", after: :initialize_logger do
      TPS.logger ||= ::Rails.logger
    end

    initializer "tps.fake", after: :load_config_initializers do |app|
      if (fake = app.config.tps.fake)
        require_relative "testing"
        Testing.fake!(**(fake.is_a?(Hash) ? fake : {}))
      end
    end

    class << self
      # @api private
      # @return [Client] by `config.tps`
      def client
        config = ::Rails.application.config.tps
        options = config.to_h.except(:credentials, :fake)
        Client.new(**options) { credentials(config.credentials) }
      end

      private

      # What was named counts alone, even if it gives none.
      def credentials(given)
        return given.respond_to?(:call) ? given.call : given if given

        ::Rails.application.credentials.tps || Environment.credentials
      end
    end
  end

  class << self
    # The application's client, the same one each time. Only in Rails.
    #
    # @return [Client]
    def client
      @client ||= Railtie.client
    end
  end
end
