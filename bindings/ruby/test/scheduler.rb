# frozen_string_literal: true

# A fiber scheduler of the tests' own, as small as one can be: `sleep`, `Thread#join`, `Queue`, and reads that block.
class Scheduler
  def initialize
    @sleeping = {}
    @ready = []
    @lock = Mutex.new
    @blocked = 0
  end

  def fiber(&block)
    Fiber.new(blocking: false, &block).tap(&:resume)
  end

  def kernel_sleep(seconds = nil)
    @sleeping[Fiber.current] = seconds ? now + seconds : Float::INFINITY
    Fiber.yield
  end

  def block(_blocker, timeout = nil)
    @blocked += 1
    @sleeping[Fiber.current] = now + timeout if timeout
    Fiber.yield
    @sleeping.delete(Fiber.current).nil?
  ensure
    @blocked -= 1
  end

  def unblock(_blocker, fiber)
    @lock.synchronize { @ready << fiber }
  end

  def io_wait(io, events, timeout)
    loop do
      ready = IO.select([(io if events.anybits?(IO::READABLE))].compact,
                        [(io if events.anybits?(IO::WRITABLE))].compact, [], 0)
      return events if ready
      return false if timeout && (timeout -= 0.005).negative?

      kernel_sleep(0.005)
    end
  end

  def close
    run
  end

  def run
    until @sleeping.empty? && @blocked.zero? && @ready.empty?
      ready = @lock.synchronize { @ready.shift(@ready.size) }
      ready.each(&:resume)
      due = @sleeping.select { |_, time| time <= now }.keys
      due.each { |fiber| @sleeping.delete(fiber) and fiber.resume }
      sleep(0.001) if ready.empty? && due.empty?
    end
  end

  private

  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end
end
