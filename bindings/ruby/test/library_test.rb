# frozen_string_literal: true

require "fileutils"
require "test_helper"

# How the library is found, and what is said when it is not. Each in a Ruby of its own.
class LibraryTest < TPSTest
  LOGIN = Faults.new("ok").login

  def test_the_gem_loads_without_the_library
    output, = ruby("puts TPS::VERSION, defined?(TPS::Native).inspect", "TPS_LIBRARY" => "/nonexistent/libtps.so")
    assert_equal "#{TPS::VERSION}\nnil\n", output
  end

  def test_no_such_file
    message = failure("/nonexistent/libtps.so")
    assert_match(%r{/nonexistent/libtps\.so.*TPS_LIBRARY.*no such file.*Set TPS_LIBRARY}, message)
  end

  def test_no_library_but_text
    Tempfile.create("libtps.so") do |file|
      file.write("no library\n" * 10)
      file.close
      assert_match(/#{file.path}.*(invalid ELF header|file too short).*cargo build/, failure(file.path))
    end
  end

  def test_another_architecture
    Tempfile.create("libtps.so") do |file|
      other = File.binread(library)
      other[18, 2] = other[18, 2] == [183].pack("v") ? [62].pack("v") : [183].pack("v")
      file.binmode
      file.write(other)
      file.close
      assert_match(/#{file.path}.*built for (\w+)-linux-gnu, this Ruby for (?!\1)\w+-linux-gnu\. Install the gem of /,
                   failure(file.path))
    end
  end

  def test_another_library
    assert_match(/another library, not libtps/, failure("libc.so.6"))
  end

  def test_too_old
    with_c('const char *tps_version(void) { return "0.0.9"; }') do |old|
      assert_match(/too old: 0\.0\.9, need 0\.2\.0 \(#{old}\)/, failure(old))
    end
  end

  def test_a_function_is_missing
    with_c('const char *tps_version(void) { return "99.0.0"; }') do |incomplete|
      assert_match(/too old: 99\.0\.0 without tps_login, need 0\.2\.0 \(#{incomplete}\)/, failure(incomplete))
    end
  end

  # Alpine's own name for musl, and the one that zig gives it.
  def test_another_c_library
    %w[libc.musl-x86_64.so.1 libc.so].each do |name|
      with_c("int musl;", "-Wl,-soname,#{name}", file: name) do |musl|
        with_c("extern int musl; int *tps_version(void) { return &musl; }", musl) do |foreign|
          FileUtils.rm(musl)
          assert_match(/built for (\w+)-linux-musl, this Ruby for (\1-linux-gnu).*gem install tps --platform \2/,
                       failure(foreign))
        end
      end
    end
  end

  # No machine of these tests has another system: what it is called on macOS is untested beyond its name.
  def test_it_is_named_as_the_system_names_libraries
    require "tps/library"
    names = TPS::Library::Platform.method(:names)
    assert_equal(%w[libtps.so libtps.so.0], names["linux-gnu"])
    assert_equal(%w[libtps.so libtps.so.0], names["linux-musl"])
    assert_equal(%w[libtps.dylib libtps.0.dylib], names["darwin23"])
  end

  # The loader's words, where the library is the system's.
  def test_the_systems_library_is_of_another_c_library
    require "tps/library"
    ["libc.so: invalid ELF header", "libc.so: cannot open shared object file: No such file or directory",
     "Error loading shared library ld-linux-x86-64.so.2: No such file or directory (needed by x)"].each do |it|
      assert_match(/another (or a newer )?C library/, TPS::Library::Diagnosis.message(TPS::Library::SYSTEM, it, []))
    end
  end

  def test_libgcc_is_missing
    with_c("int gcc;", "-Wl,-soname,libgcc_s.so.9", file: "libgcc_s.so.9") do |gcc|
      with_c("extern int gcc; int *tps_version(void) { return &gcc; }", gcc) do |incomplete|
        FileUtils.rm(gcc)
        assert_match(/libgcc_s is missing.*apt install libgcc-s1/, failure(incomplete))
      end
    end
  end

  def test_a_file_that_may_not_be_read
    with_forbidden("libtps.so") do |file|
      assert_match(/#{file}.*may not read it: `chmod a\+r`/, failure_of_another_user(file))
    end
  end

  def test_a_directory_that_may_not_be_entered
    with_forbidden(".") { |file| assert_match(/#{file}.*may not read it.*`chmod a\+x`/, failure_of_another_user(file)) }
  end

  # The loader's words, since not everybody can mount.
  def test_a_file_system_without_execution
    require "tps/library"
    message = TPS::Library::Diagnosis.message(library, "#{library}: failed to map segment from shared object", [])
    assert_match(/#{library}.*mounted noexec.*TPS_LIBRARY/, message)
  end

  def test_the_ffi_gem_is_missing
    Dir.mktmpdir do |directory|
      File.write(File.join(directory, "ffi.rb"), 'raise LoadError, "cannot load such file -- ffi"')
      output, = ruby("$LOAD_PATH.unshift(#{directory.inspect})\nbegin\n#{SCRIPT}end")
      assert_match(/\Athe ffi gem is missing \(cannot load such file -- ffi\): gem install ffi, or apt/, output)
    end
  end

  def test_the_systems_library
    with_copy_of_the_gem do |lib|
      Dir.mktmpdir do |system|
        FileUtils.ln_s(library, File.join(system, "libtps.so.0"))
        output, = login(lib, "LD_LIBRARY_PATH" => system)
        assert_equal "made\n", output
      end
    end
  end

  def test_the_library_in_the_gem
    with_copy_of_the_gem do |lib|
      FileUtils.ln_s(library, File.join(lib, "tps/libtps.so"))
      assert_equal "made\n", login(lib).first
    end
  end

  def test_nowhere
    with_copy_of_the_gem do |lib|
      assert_match(%r{not found.*#{lib}/tps/libtps\.so.*libtps\.so\.0.*TPS_LIBRARY.*cargo build --release},
                   login(lib).first)
    end
  end

  # For those who want to know at the start; nothing is sent.
  def test_load
    assert_match(/\A\d+\.\d+\.\d+/, TPS.load!)
    output, = ruby("begin; TPS.load!; rescue TPS::LibraryError => e; print e.message; end",
                   "TPS_LIBRARY" => "/nonexistent/libtps.so")
    assert_match(%r{/nonexistent/libtps\.so}, output)
  end

  # What has no credentials yet boots without the library, and says so when it is needed.
  def test_a_client_without_credentials_needs_it_later
    script = <<~RUBY
      client = TPS::Client.new { #{LOGIN} }
      print "made "
      begin
        client.token
      rescue TPS::LibraryError => e
        print e.status
      end
    RUBY
    assert_equal ["made library", ""], ruby(script, "TPS_LIBRARY" => "/nonexistent/libtps.so").first(2)
  end

  def test_it_can_be_tried_again
    script = <<~RUBY
      2.times do
        TPS::Client.new(**#{LOGIN})
      rescue TPS::LibraryError
        print "."
      end
      ENV["TPS_LIBRARY"] = #{library.inspect}
      print TPS::Client.new(**#{LOGIN}).class
    RUBY
    assert_equal ["..TPS::Client", ""], ruby(script, "TPS_LIBRARY" => "/nonexistent").first(2)
  end

  private

  SCRIPT = <<~RUBY.freeze
      TPS::Client.new(**#{LOGIN})
      puts "made"
    rescue TPS::LibraryError => e
      puts e.message
      exit(e.status == :library ? 3 : 4)
  RUBY
  private_constant :SCRIPT

  # @return [String] the message, which is one line
  def failure(library)
    output, errors, status = ruby("begin\n#{SCRIPT}end", "TPS_LIBRARY" => library)
    assert_equal ["", 3], [errors, status.exitstatus], output
    assert_equal 1, output.lines.size
    output
  end

  # A copy of the library below a directory, where this path has no permissions at all.
  def with_forbidden(path)
    Dir.mktmpdir do |directory|
      FileUtils.chmod(0o755, directory)
      inside = File.join(directory, "inside")
      FileUtils.mkdir(inside)
      FileUtils.cp(library, inside)
      FileUtils.chmod(0, File.expand_path(path, inside))
      yield File.join(inside, "libtps.so")
    ensure
      FileUtils.chmod(0o755, inside)
    end
  end

  # For root there is nothing forbidden, so it becomes nobody once everything else is loaded.
  def failure_of_another_user(library)
    output, errors, = ruby(<<~RUBY, "TPS_LIBRARY" => library)
      require "ffi"
      require "tps/library"
      Process::Sys.setuid(65534) if Process.uid.zero?
      begin
        TPS::Library.load { |file| FFI::DynamicLibrary.open(file, FFI::DynamicLibrary::RTLD_LAZY) }
      rescue TPS::LibraryError => e
        puts e.message
      end
    RUBY
    assert_empty errors
    output
  end

  def login(lib, environment = {})
    environment = { "TPS_LIBRARY" => nil, **environment }
    Open3.capture3(environment, RbConfig.ruby, "-w", "-I#{lib}", "-rtps", "-e", "begin\n#{SCRIPT}end")
  end

  # Outside the repository, as if installed.
  def with_copy_of_the_gem
    Dir.mktmpdir do |directory|
      FileUtils.cp_r(LIB, directory)
      FileUtils.rm_f(File.join(directory, "lib/tps/libtps.so"))
      yield File.join(directory, "lib")
    end
  end

  # A library made of one line of C.
  def with_c(code, *arguments, file: "libtps.so")
    skip "needs cc" unless system("cc", "--version", out: File::NULL, err: File::NULL)
    Dir.mktmpdir do |directory|
      path = File.join(directory, file)
      output, status = Open3.capture2e("cc", "-shared", "-fPIC", "-o", path, "-xc", "-", "-xnone", *arguments,
                                       stdin_data: code)
      assert_predicate status, :success?, output
      yield path
    end
  end
end
