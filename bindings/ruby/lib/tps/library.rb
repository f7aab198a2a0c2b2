# frozen_string_literal: true

require_relative "errors"
require_relative "library/diagnosis"

module TPS
  # Finds libtps: the file that `TPS_LIBRARY` names, else the one shipped in this gem, else the one built in this
  # repository, else the system's. The first that exists is taken: if it does not work, that is an error and not a
  # reason to take another one silently.
  #
  # @api private
  module Library
    # The oldest library that has every function this gem calls.
    REQUIRED = "0.1.0"

    SYSTEM = "libtps.so.0"
    SHIPPED = File.join(__dir__, "libtps.so")
    REPOSITORY = File.expand_path("../../../..", __dir__)

    class << self
      # @yieldparam file [String] the file, or the name for the system's loader
      # @yieldreturn [String] the version of the library that was loaded from it
      # @raise [LibraryError]
      def load
        @file = chosen
        version = yield @file
      rescue LoadError => e
        raise LibraryError, Diagnosis.message(@file, e.message, places)
      else
        raise LibraryError, too_old(version) if older?(version)
      end

      # @yield attaches the functions, and raises a LoadError for one that is not there
      # @raise [LibraryError]
      def require_functions
        yield
      rescue LoadError => e
        raise LibraryError, "#{@file} cannot be used: #{e.message.lines.first.chomp}. #{Diagnosis::REMEDY}"
      end

      private

      def chosen
        named = ENV.fetch("TPS_LIBRARY", "")
        return named unless named.empty?

        places.find { |place| File.file?(place) } || SYSTEM
      end

      def places
        built? ? [SHIPPED, *built] : [SHIPPED]
      end

      # An installed gem has no repository around it, and must not look into whatever directories lie there instead.
      def built?
        __dir__ == File.join(REPOSITORY, "bindings/ruby/lib/tps") && File.file?(File.join(REPOSITORY, "Cargo.toml"))
      end

      def built
        %w[release debug].map { |profile| File.join(REPOSITORY, "target", profile, "libtps.so") }
      end

      def older?(version)
        (numbers(version) <=> numbers(REQUIRED)).negative?
      end

      def numbers(version)
        version.split(".").first(3).map(&:to_i)
      end

      def too_old(version)
        "libtps is too old: #{version}, need #{REQUIRED} (#{@file}). #{Diagnosis::REMEDY}"
      end
    end
  end
end
