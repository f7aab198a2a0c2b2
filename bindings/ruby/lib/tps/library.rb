# frozen_string_literal: true

require "rbconfig"
require_relative "errors"
require_relative "library/diagnosis"

module TPS
  # Finds libtps: the file that `TPS_LIBRARY` names, else the one in this gem, shipped or built when it was installed,
  # else the one built in this repository, else the system's. The first that exists is taken: if it does not work, that
  # is an error and not a reason to take another one silently.
  #
  # @api private
  module Library
    # The oldest library that has every function this gem calls.
    REQUIRED = "0.2.0"

    FILE, SYSTEM = Platform.names(RbConfig::CONFIG["host_os"])
    SHIPPED = File.join(__dir__, FILE)
    REPOSITORY = File.expand_path("../../../..", __dir__)

    class << self
      # @yieldparam file [String] the file, or the name for the system's loader
      # @yieldreturn [String] the version of the library that was loaded from it
      # @raise [LibraryError]
      def load
        @file = chosen
        @version = yield @file
      rescue LoadError => e
        raise LibraryError, Diagnosis.message(@file, e.message, places)
      else
        raise LibraryError, too_old if older?(@version)
      end

      # @yield attaches the functions, and raises a LoadError for one that is not there
      # @raise [LibraryError]
      def require_functions
        yield
      rescue LoadError => e
        raise LibraryError, too_old(" without #{e.message[/tps_\w+/]}")
      end

      private

      def chosen
        named = ENV.fetch("TPS_LIBRARY", "")
        return named unless named.empty?

        places.find { |place| File.file?(place) } || SYSTEM
      end

      def places
        [SHIPPED, installed, *(built if built?)].compact
      end

      # Where RubyGems keeps what it built when it installed this gem; not every RubyGems copies that into lib.
      def installed
        spec = Gem.loaded_specs["tps"] if defined?(Gem)
        return if spec.nil? || spec.extensions.empty? || !__dir__.start_with?(spec.full_gem_path)

        File.join(spec.extension_dir, "tps", FILE)
      end

      # An installed gem has no repository around it, and must not look into whatever directories lie there instead.
      def built?
        __dir__ == File.join(REPOSITORY, "bindings/ruby/lib/tps") && File.file?(File.join(REPOSITORY, "Cargo.toml"))
      end

      def built
        %w[release debug].map { |profile| File.join(REPOSITORY, "target", profile, FILE) }
      end

      def older?(version)
        (numbers(version) <=> numbers(REQUIRED)).negative?
      end

      def numbers(version)
        version.split(".").first(3).map(&:to_i)
      end

      def too_old(missing = "")
        "libtps is too old: #{@version}#{missing}, need #{REQUIRED} (#{@file}). #{Diagnosis::REMEDY}"
      end
    end
  end
end
