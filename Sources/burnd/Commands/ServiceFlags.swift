import ArgumentParser
import Foundation

/// Settings of the service that a flag gives, before the file and the variables.
struct ServiceFlags: ParsableArguments {
    @Option(help: Setting.flagHelp("listen"))
    var listen: String?

    @Option(help: Setting.flagHelp("data"))
    var data: String?

    @Option(help: Setting.flagHelp("worker"))
    var worker: String?

    /// - Parameter file: the configuration; nil for none.
    func load(_ file: String?) throws -> Configuration {
        let flags = [("listen", listen), ("data", data), ("worker", worker)]
        return try ConfigurationLoader.load(
            file: file, environment: ProcessInfo.processInfo.environment,
            flags: flags.compactMap { key, text in text.map { (key, $0) } })
    }
}
