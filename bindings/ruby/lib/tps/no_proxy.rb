# frozen_string_literal: true

require "ipaddr"

module TPS
  # Which hosts are reached without the proxy: what `NO_PROXY` means to curl and Go, and to the library.
  #
  # @api private
  class NoProxy
    # @param list [String] with commas or white space between; an item that means nothing excepts nothing
    def initialize(list)
      @exceptions = list.split(/[,\s]+/).filter_map { |item| exception(item) }
    end

    # @param host [String] as in a URL: IPv6 with or without brackets
    # @param port [Integer]
    # @return [Boolean] whether it is reached without the proxy
    def excepts?(host, port)
      name = plain(host)
      address = address(name)
      @exceptions.any? { |only, matches| (only.nil? || only == port) && matches.call(name, address) }
    end

    private

    # @return [Array(Integer, Proc), nil] a port or nil, and what says whether a name or address is meant
    def exception(item)
      host, port = split_port(item)
      name = plain(host)
      matches =
        if host == "*" then ->(*) { true }
        elsif name.include?("/") then network(*name.split("/", 2))
        elsif address(name) then network(name, nil)
        else
          domain(name.delete_prefix("*").delete_prefix("."))
        end
      [port, matches] if matches
    end

    def domain(domain)
      return if domain.empty?

      ->(name, address) { address.nil? && (name == domain || name.end_with?(".#{domain}")) }
    end

    def network(text, bits)
      written = ip(plain(text)) or return
      size = size(written)
      differing = bits ? size - Integer(bits, 10) : 0
      return if differing.negative? || differing > size(written.native)

      network = written.native
      lambda do |_name, address|
        address&.family == network.family && address.to_i >> differing == network.to_i >> differing
      end
    rescue ArgumentError
      nil
    end

    # `host:port`, or the whole: an IPv6 address without brackets has no port.
    def split_port(item)
      match = /\A(?<host>[^:]*|.*\]):(?<port>\d{1,5})\z/.match(item)
      match ? [match[:host], match[:port].to_i] : [item, nil]
    end

    def plain(host)
      host.delete_suffix(".").delete_prefix("[").delete_suffix("]").downcase
    end

    # An IPv4 address may be written as IPv6.
    def address(name)
      ip(name)&.native
    end

    def ip(text)
      IPAddr.new(text) unless text.include?("/")
    rescue IPAddr::Error
      nil
    end

    def size(address)
      address.ipv4? ? 32 : 128
    end
  end
end
