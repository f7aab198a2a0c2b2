# frozen_string_literal: true

module TPS
  module Library
    # How the library is called where, and what a program or a library was built for, by the name that gems have, such
    # as `x86_64-linux-musl`.
    #
    # @api private
    module Platform
      MACHINES = { 3 => "i386", 40 => "arm", 62 => "x86_64", 183 => "aarch64", 243 => "riscv64" }.freeze

      class << self
        # @param host_os [String] as RbConfig names it
        # @return [Array(String, String)] the library's name as a file, and for the system's loader
        def names(host_os)
          host_os.include?("darwin") ? ["libtps.dylib", "libtps.0.dylib"] : ["libtps.so", "libtps.so.0"]
        end

        # @param file [String]
        # @param length [Integer, nil] how much of it is read
        # @return [String, nil] its platform; nil: no ELF file, or one that cannot be read
        def of(file, length = nil)
          content = File.binread(file, length).to_s
          magic, number = content.unpack("a4 x14 v")
          return unless magic == "\x7FELF".b && number

          "#{MACHINES.fetch(number, "machine #{number}")}-linux#{c_library(content)}"
        rescue SystemCallError
          nil
        end

        # By the file that runs. Its loader's name, in the first page, tells the C library.
        def of_this_ruby
          of("/proc/self/exe", 4096)
        end

        # Whether a library of one serves the other. One that names no C library serves with each.
        def fit?(one, other)
          one.start_with?(other) || other.start_with?(one)
        end

        private

        # A file contains the names that it asks for, each between zero bytes.
        def c_library(content)
          case content
          when %r{/ld-musl-|\x00libc\.(?:musl-\w+\.)?so(?:\.1)?\x00}n then "-musl"
          when %r{/ld-linux|\x00libc\.so\.6\x00}n then "-gnu"
          end
        end
      end
    end
  end
end
