import Foundation
import Logging
import Support
import Testing

@testable import burnd

@Suite struct ConfigurationTests {
    private func load(
        _ text: String?, environment: [String: String] = [:], flags: [(key: String, text: String)] = []
    ) throws -> Configuration {
        guard let text else {
            return try ConfigurationLoader.load(file: nil, environment: environment, flags: flags)
        }
        let path = NSTemporaryDirectory() + "burnd-\(UUID().uuidString).yaml"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try ConfigurationLoader.load(file: path, environment: environment, flags: flags)
    }

    private func refusal(of text: String?, environment: [String: String] = [:]) -> Problem? {
        do {
            _ = try load(text, environment: environment)
            return nil
        } catch { return error as? Problem }
    }

    @Test func flagsWinOverTheEnvironmentAndThatOverTheFile() throws {
        let text = "listen: 127.0.0.1:1\ndata: /file\nslots: 3\nlimits:\n  model_bytes: 2 GiB\n"
        let configuration = try load(
            text, environment: ["BURND_LISTEN": "127.0.0.1:2", "BURND_DATA": "/environment", "PATH": "/bin"],
            flags: [("listen", "[::1]:3")])
        #expect(configuration.listen == ListenAddress(host: "::1", port: 3))
        #expect(configuration.dataDirectory == "/environment")
        #expect(configuration.slots == 3)
        #expect(configuration.limits.modelBytes == 2 << 30)
        #expect(configuration.limits.datasetBytes == Configuration().limits.datasetBytes)
    }

    @Test func jsonWorksToo() throws {
        let configuration = try load(#"{"log_level": "debug", "http": {"threads": 4}}"#)
        #expect(configuration.logLevel == .debug)
        #expect(configuration.http.threads == 4)
    }

    @Test func listsAreLinesWithCommasOrSequences() throws {
        let expected = ["a.example.org", "[::1]"]
        #expect(try load("allowed_hosts: a.example.org, [::1]").allowedHosts == expected)
        #expect(try load("allowed_hosts:\n  - a.example.org\n  - '[::1]'").allowedHosts == expected)
        #expect(
            try load(nil, environment: ["BURND_ALLOWED_HOSTS": "a.example.org,[::1]"]).allowedHosts
                == expected)
        #expect(try load("trusted_proxies: ['::1', 10.0.0.1]").trustedProxies == ["::1", "10.0.0.1"])
        #expect(try load("allowed_hosts: []").allowedHosts == [])
    }

    @Test func anEmptyFileChangesNothing() throws {
        #expect(try load("# nothing\n").listen == Configuration().listen)
    }

    /// The file's text is `burnd settings > config/burnd.yaml`.
    @Test func theExampleFileSetsTheDefaults() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let example = root.appending(path: "../../config/burnd.yaml").standardizedFileURL.path
        let configuration = try ConfigurationLoader.load(file: example, environment: [:])
        #expect(String(describing: configuration) == String(describing: Configuration()))
        let text = try String(contentsOfFile: example, encoding: .utf8)
        #expect(text == SettingsFile.text(), "config/burnd.yaml is not what `burnd settings` prints")
        for setting in Setting.all {
            let key = try #require(setting.key.split(separator: ".").last)
            #expect(text.contains("\(key):"), "\(setting.key)")
        }
    }

    @Test(arguments: [
        ("slot: 3", ":1", "slot"), ("slots: 3\nhttp:\n  treads: 2", ":3", "http.treads"),
        ("slots: many", ":1", "many"), ("slots: 0", ":1", "0"), ("slots: [1]", ":1", "list"),
        ("listen: 8080", ":1", "8080"), ("limits:\n  model_bytes: -1", ":2", "-1"), ("- a", ":1", "key"),
        ("allowed_hosts: https://a/b", ":1", "https"), ("allowed_hosts: [[a]]", ":1", "list"),
        ("insecure_http: perhaps", ":1", "perhaps"), ("trusted_proxies: [a b]", ":1", "b"),
        ("log_level: loud", ":1", "loud"), ("a: [", "", "YAML"),
    ])
    func aMistakeIsNamedWithItsLine(text: String, line: String, word: String) throws {
        let problem = try #require(refusal(of: text))
        #expect(problem.code == "configuration-invalid")
        #expect(problem.detail.contains(word), "\(problem)")
        #expect(problem.location?.hasSuffix(".yaml" + line) == true, "\(problem)")
    }

    @Test func aMistypedVariableIsRefused() {
        #expect(refusal(of: nil, environment: ["BURND_LISTN": "x"])?.location == "BURND_LISTN")
        #expect(
            refusal(of: nil, environment: ["BURND_LIMITS_FREE_BYTES": "much"])?.location
                == "BURND_LIMITS_FREE_BYTES")
    }

    @Test(arguments: [
        ("127.0.0.1:80", true), ("[::1]:0", true), ("localhost:1", true), ("127.9.9.9:1", true),
        ("0.0.0.0:80", false), ("[::]:80", false), ("192.168.1.2:80", false), ("127.0.0.1.evil:80", false),
    ])
    func onlyLoopbackAddressesAreLoopback(text: String, loopback: Bool) throws {
        let address = try ListenAddress(parsing: text)
        #expect(address.isLoopback == loopback)
        #expect(address.description == text)
    }

    @Test(arguments: ["", ":80", "host", "host:", "host:65536", "::1:80", "a b:1", "http://x:1"])
    func whatIsNoAddressIsRefused(text: String) {
        #expect(throws: Problem.self) { try ListenAddress(parsing: text) }
    }

    @Test(
        arguments: [
            ("0", 0), ("512", 512), ("1KiB", 1024), ("1.5 GB", 1_500_000_000), ("2 gib", 2 << 30), ("7 b", 7),
            ("-1", nil), ("", nil), ("GiB", nil), ("1e400 GB", nil), ("1.5", nil), ("9e9 TiB", nil),
            ("3 X", nil),
        ] as [(String, Int?)])
    func sizesAreReadWithTheirUnits(text: String, bytes: Int?) {
        #expect(ByteSize.parse(text) == bytes)
    }

    @Test(arguments: [
        (0, "0"), (1, "1"), (1023, "1023"), (1024, "1 KiB"), (1536, "1536"), (3 << 20, "3 MiB"),
        (500 << 30, "500 GiB"), (1 << 40, "1 TiB"), ((1 << 40) + 1024, "1073741825 KiB"),
    ])
    func sizesAreShownAsTheyAreRead(bytes: Int, text: String) {
        #expect(ByteSize.text(bytes) == text)
        #expect(ByteSize.parse(text) == bytes)
    }

    /// Every setting, with another value than its default: what is shown is what is read.
    @Test(arguments: Setting.all.map(\.key))
    func whatASettingShowsItReads(key: String) throws {
        let setting = try #require(Setting.all.first { $0.key == key })
        let others = [
            "listen": "[::1]:9", "allowed_hosts": "a.org, [::1]", "insecure_http": "true",
            "sandbox": "off", "device": "auto", "log_level": "debug", "log_format": "json",
            "http.header_bytes": "2048", "base_path": "/burn",
            "executor": "slurm", "slurm.sizing": "fixed", "slurm.arguments": "--nice=3, --exclude=n1",
            "webhooks.hosts": "hooks.example.org:8443, http://127.0.0.1:9",
        ]
        var configuration = Configuration()
        let initial = setting.text(configuration)
        let other = others[key] ?? (initial?.hasSuffix("iB") == true ? "3 MiB" : "7")
        try setting.apply(&configuration, other)
        #expect(setting.text(configuration) == other && other != initial)
        #expect(String(describing: configuration) != String(describing: Configuration()))
    }
}
