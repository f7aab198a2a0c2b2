# frozen_string_literal: true

# All tests: ruby -w -Ilib -Itest test/all.rb, with the servers that tests/run.sh starts.

Dir[File.join(__dir__, "*_test.rb")].each { |file| require file }
