# frozen_string_literal: true

module TPS
  # The version of this gem.
  VERSION = "0.2.0"
end
