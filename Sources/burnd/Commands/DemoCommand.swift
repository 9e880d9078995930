import ArgumentParser
import Foundation
import Support

/// Becomes the program `burn-demo`, which draws and attacks: burnd itself holds neither.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract:
            "Shows the whole way: backdoors a small model, purifies it over HTTP, compares before and after.",
        discussion: """
            Draws images, poisons a tenth of them, trains a small model on them, starts a service and hands both to it. \
            Takes a minute or two on two cores, and no more than 200 MB of disk. Nothing leaves this machine.
            """)

    @Option(
        help: ArgumentHelp(
            "A service that runs already; its key in BURN_KEY. Default: one of the demonstration's own.",
            valueName: "url"))
    var url: String?

    @Option(help: "Seeds every random choice.")
    var seed = 0

    @Option(help: "Training images that are drawn, 500 to 50000; fewer are quicker.")
    var images = 5_000

    @Option(
        name: .shortAndLong, help: "A folder for everything that is made: new, empty, or of an earlier run.")
    var output = "burn-demo"

    /// In the folder, so that another run knows it for its own.
    private static let mark = ".burn-demo"

    func validate() throws {
        guard (500...50_000).contains(images) else { throw ValidationError("--images is from 500 to 50000") }
    }

    func run() async throws {
        try await reportingProblems {
            try prepare(URL(filePath: output))
            let program = Self.folderOfPrograms + "/burn-demo"
            guard access(program, X_OK) == 0 else {
                throw Problem(
                    .notFound, code: "demo-not-found", title: "The demonstration's program is not there",
                    detail: "\(program): \(String(cString: strerror(errno)))",
                    fix: "Install burn-demo beside burnd; make build builds it.")
            }
            var arguments = [
                program, "--cache", URL(filePath: output).path, "--seed", "\(seed)", "--images", "\(images)",
            ]
            if let url { arguments += ["--url", url] }
            var strings = arguments.map { strdup($0) }
            strings.append(nil)
            execv(program, strings)
            throw Problem(
                .internal, code: "demo-not-started", title: "The demonstration could not be started",
                detail: "\(program): \(String(cString: strerror(errno)))")
        }
    }

    /// What earlier runs left is made anew, so the folder must be the demonstration's alone.
    private func prepare(_ folder: URL) throws {
        let files = FileManager.default
        do {
            try files.createDirectory(at: folder, withIntermediateDirectories: true)
            let names = try files.contentsOfDirectory(atPath: folder.path)
            guard names.isEmpty || names.contains(Self.mark) else {
                throw Problem(
                    .conflict, code: "output-not-empty", title: "The folder is not the demonstration's",
                    detail: "\(folder.path) holds other files.", location: "--output",
                    fix: "Name a folder that is not there yet.")
            }
            try Data().write(to: folder.appending(path: Self.mark))
        } catch let error as CocoaError {
            throw Problem(
                .internal, code: "output-not-writable", title: "The folder can't be written",
                detail: "\(folder.path): \(error.localizedDescription)", location: "--output",
                fix: "Name a folder of your own.")
        }
    }

    static var folderOfPrograms: String {
        let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(filePath: path ?? CommandLine.arguments[0]).deletingLastPathComponent().path
    }
}
