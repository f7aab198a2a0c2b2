# frozen_string_literal: true

require_relative "tps/version"
require_relative "tps/errors"
require_relative "tps/client"

# One TPStreams API token for every thread and process: made once, reused until it expires or is rejected.
#
#   client = TPS.login(username: "hari@example.com", password: "welcome", organization_id: "auhf2k")
#   client.token          # => "1e14238b…"
#   client.authorization  # => "Token 1e14238b…"
module TPS
  class << self
    # Makes a client that holds a valid token. Takes what {Client#initialize} takes.
    #
    # @return [Client]
    # @raise [Error] one subclass for each reason
    def login(username: nil, password: nil, organization_id: nil, **options)
      Client.login(username:, password:, organization_id:, **options)
    end

    # The same with everything from the environment: `TPS_USERNAME`, `TPS_PASSWORD`, `TPS_ORGANIZATION_ID`, and where
    # they are set `TPS_TOKEN`, `TPS_BASE_URL`, `TPS_CACHE`, `TPS_CA_FILE`. A keyword that is given wins.
    #
    # @return [Client]
    # @raise [InvalidArgumentError] which names the variable that is missing
    # @raise [Error] one subclass for each reason
    def from_env(**options)
      Client.login(**options)
    end
  end
end
