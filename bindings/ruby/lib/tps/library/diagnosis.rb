# frozen_string_literal: true

require_relative "platform"

module TPS
  module Library
    # Says in one line why a library could not be loaded, and what to type.
    #
    # @api private
    module Diagnosis
      REMEDY = "Set TPS_LIBRARY to a libtps.so that fits, or build one: `gem install tps --platform ruby`, " \
               "or `cargo build --release` in libtps' repository."

      FORBIDDEN = "this user may not read it: `chmod a+r` for the file, `chmod a+x` for the directories above it."

      # What the loader says, and what that means.
      MEANINGS = {
        /'tps_version' not found/ => "it is another library, not libtps. #{REMEDY}",
        /Permission denied/ => FORBIDDEN,
        /failed to map segment|Operation not permitted/ =>
          "its file system is mounted noexec, or a security policy forbids it. Set TPS_LIBRARY to a copy elsewhere.",
        /libgcc_s/ => "libgcc_s is missing: `apt install libgcc-s1`, or `apk add libgcc`.",
        /libc\.musl|ld-musl|\blibc\.so: / =>
          "it was built for musl (Alpine), this system has another C library. #{REMEDY}",
        /GLIBC_\S+' not found|libc\.so\.6|ld-linux|Error relocating/ =>
          "it was built for another or a newer C library than this system has. #{REMEDY}"
      }.freeze

      class << self
        # @param file [String] what was tried
        # @param words [String] the loader's
        # @param places [Array<String>] which did not exist, if the file is the system's
        # @return [String]
        def message(file, words, places)
          words = reason(file, words)
          return nowhere(places, words) if file == SYSTEM

          "libtps cannot be loaded from #{file}#{origin(file)}: #{unreachable(file) || foreign(file) || meaning(words)}"
        end

        private

        def nowhere(places, words)
          "libtps is not found: no #{places.join(", no ")}, and for #{SYSTEM} the system says: " \
            "#{meaning(words)}#{platform}"
        end

        # Where there is no gem with the library inside.
        def platform
          ours = RbConfig::CONFIG.values_at("host_cpu", "host_os").join("-")
          return if ours.match?(/\A(?:x86_64|aarch64)-linux(?:-gnu|-musl)?\z/)

          " This platform is #{ours}; gems with the library inside are made for x86_64 and aarch64 Linux."
        end

        # The loader's words, without what ffi puts around them.
        def reason(file, words)
          words = words.lines.first.chomp.delete_suffix(".")
          words.delete_prefix("Could not open library '#{file}': ").delete_prefix("#{file}: ")
        end

        def origin(file)
          " (TPS_LIBRARY)" if file == ENV["TPS_LIBRARY"]
        end

        def unreachable(file)
          return unless file.include?("/")

          File.stat(file) && nil
        rescue Errno::EACCES
          FORBIDDEN
        rescue SystemCallError
          "there is no such file. #{REMEDY}"
        end

        # The loader's own words do not name platforms: for another architecture they are "No such file".
        def foreign(file)
          theirs = Platform.of(file)
          ours = Platform.of_this_ruby
          return if !theirs || !ours || Platform.fit?(theirs, ours)

          "it was built for #{theirs}, this Ruby for #{ours}. Install the gem of #{ours}: " \
            "`gem install tps --platform #{ours}`. #{REMEDY}"
        end

        def meaning(words)
          _, meaning = MEANINGS.find { |pattern, _| pattern.match?(words) }
          meaning ? "#{words}; #{meaning}" : "#{words}. #{REMEDY}"
        end
      end
    end
  end
end
