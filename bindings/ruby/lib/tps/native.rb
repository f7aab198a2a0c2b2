# frozen_string_literal: true

require_relative "errors"
require_relative "kept_tokens"
require_relative "library"

begin
  require "ffi"
rescue LoadError => e
  raise TPS::LibraryError, "the ffi gem is missing (#{e.message}): gem install ffi, or apt install ruby-ffi"
end

module TPS
  # The functions of libtps as Ruby methods that take and give Ruby objects, and raise. Nothing else in this gem
  # knows of FFI.
  #
  # What the library hands out is freed here before it leaves, whatever other threads send in between. One case is
  # left: a signal that hits the main thread in the microseconds of such a call. Ruby cannot hold signals back, and the
  # string is not freed.
  #
  # A call that may wait is `blocking: true`: other Ruby threads go on. {generation} is not: it never waits, and giving
  # up Ruby's lock can cost 100 ms beside a busy thread.
  #
  # @api private
  module Native
    extend FFI::Library

    Library.load do |file|
      FFI::DynamicLibrary.open(file, FFI::DynamicLibrary::RTLD_LAZY | FFI::DynamicLibrary::RTLD_LOCAL)
      ffi_lib file
      attach_function :version, :tps_version, [], :string
      version
    end

    Library.require_functions do
      attach_function :tps_login, %i[string string string string pointer], :pointer
      attach_function :tps_token, %i[pointer pointer], :pointer, blocking: true
      attach_function :tps_free, %i[pointer], :void
      attach_function :tps_invalidate, %i[pointer string pointer], :int, blocking: true
      attach_function :tps_logout_wait, %i[pointer uint32 pointer], :int, blocking: true
      attach_function :generation, :tps_generation, %i[uintptr_t], :uint64
      attach_function :tps_generation_word, %i[pointer], :pointer
      attach_function :tps_wait, %i[pointer uint32 pointer], :int, blocking: true
      attach_function :tps_stats, %i[pointer pointer], :pointer, blocking: true
    end

    # A client of the library, freed when Ruby collects it, in a forked child as well: that touches memory only.
    class Handle < FFI::AutoPointer
      def self.release(pointer)
        KeptTokens.forget(pointer.address)
        Native.tps_free(pointer)
      end

      # With ffi 1.15 a copy that was refused is freed all the same.
      undef_method :dup, :clone

      # @return [Integer] the number of the token at hand, 0 if there is none
      def generation
        Native.generation(address)
      end

      # Where {#generation} stands while no clock is needed to tell it; else 0. Read in half the time of a call.
      #
      # @return [FFI::Pointer] to a number of 64 bits, valid as long as this
      def word
        @word ||= Native.tps_generation_word(self)
      end

      # Sees to it that a token is at hand, for so many milliseconds; the caller can be interrupted after them.
      #
      # @return [Boolean] whether there is one
      def wait(milliseconds)
        Native.number { |error| Native.tps_wait(self, milliseconds, error) } == 1
      end

      # For when {#wait} was true. Cannot be interrupted, so that the token is freed; if it has just gone, that lasts
      # until there is a new one, but other threads go on.
      #
      # @return [String]
      def token
        Native.string { |error| Native.tps_token(self, error) }
      end

      # Sends nothing.
      def invalidate(token)
        Native.number { |error| Native.tps_invalidate(self, token, error) }
      end

      # Starts a logout, or joins the one under way, and waits for so many milliseconds.
      #
      # @return [Boolean] whether it is done
      def logout(milliseconds)
        Native.number { |error| Native.tps_logout_wait(self, milliseconds, error) } == 1
      end

      # @return [String] JSON
      def stats
        Native.string { |error| Native.tps_stats(self, error) }
      end
    end

    # struct tps_error
    class Failure < FFI::Struct
      layout :status, :int32, :http_status, :int32, :retry_after_ms, :int64, :message, :pointer

      # @return [Error] which owns its text
      def to_error
        http_status = self[:http_status]
        Error.class_for(self[:status]).new(
          Native.text(self[:message]).scrub,
          http_status: (http_status unless http_status.zero?),
          retry_after: self[:retry_after_ms] / 1000.0
        )
      end
    end

    class << self
      # @!method version
      #   @return [String] the library's version
      # @!method generation(address)
      #   @param address [Integer] a {Handle}'s, which ffi takes faster than the handle; 0 has no token
      #   @return [Integer] the number of the token at hand, 0 if there is none

      # @param arguments [Arguments]
      # @return [Handle]
      def open(arguments)
        pointer_or_raise(->(pointer) { Handle.new(pointer) }) { |error| tps_login(*arguments.strings, error) }
      end

      # @return [String] a frozen copy in UTF-8
      def text(pointer)
        pointer.read_string.force_encoding(Encoding::UTF_8).freeze
      end

      # Calls what returns a number, -1 on failure. An interrupt may come during the call: only the error is owned.
      def number
        slot = FFI::MemoryPointer.new(:pointer)
        begin
          result = yield slot
          result == -1 ? raise(error_in(slot)) : result
        ensure
          uninterrupted { tps_free(slot.read_pointer) }
        end
      end

      # Calls what returns text that is ours to free.
      def string(&call)
        pointer_or_raise(method(:take_text), &call)
      end

      private

      def take_text(pointer)
        text(pointer)
      ensure
        tps_free(pointer)
      end

      # Calls what returns a pointer, NULL on failure. No interrupt comes before `take` has made it somebody's.
      def pointer_or_raise(take)
        uninterrupted do
          slot = FFI::MemoryPointer.new(:pointer)
          pointer = yield slot
          pointer.null? ? raise(error_in(slot)) : take.call(pointer)
        ensure
          tps_free(slot.read_pointer)
        end
      end

      def error_in(slot)
        Failure.new(slot.read_pointer).to_error
      end

      # Ruby raises what other threads sent (`Timeout`, `Thread#kill`) only after the block.
      def uninterrupted(&block)
        Thread.handle_interrupt(Object => :never, &block)
      end
    end
  end
end
