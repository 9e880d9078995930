import AttackBench
import Foundation

/// A case on disk: a folder with a `model.pt2`, beside the `make_case.py` that builds its data set.
struct FolderCase {
    /// How a case's data set is poisoned.
    struct Recipe: Decodable, Equatable {
        var attack: String
        var target: Int
        var rate: Double

        /// By the case's folder name.
        static let known = [
            "badnets": Recipe(attack: "badnets", target: 8, rate: 0.1),
            "trojan_wm": Recipe(attack: "trojan_wm", target: 2, rate: 0.1),
            "clean": Recipe(attack: "badnets", target: 8, rate: 0),
        ]
    }

    var folder: URL
    var recipe: Recipe
    var trainingImages: Int
    var cache: URL
    var python: URL

    var model: URL { folder.appending(path: "model.pt2") }

    /// Builds the data set unless an earlier run left it in the cache.
    func make() async throws -> DemoCase {
        let script = folder.deletingLastPathComponent().appending(path: "make_case.py")
        for file in [model, script] where !FileManager.default.fileExists(atPath: file.path) {
            throw DemoFailure("\(file.path) is missing: \(folder.path) is no case folder.")
        }
        let name = "\(recipe.attack)-\(recipe.target)-\(recipe.rate)-\(trainingImages)"
        let data = cache.appending(path: name)
        if !FileManager.default.fileExists(atPath: data.appending(path: "case.json").path) {
            try? FileManager.default.removeItem(at: data)
            // make_case.py writes case.json last, so its presence means a whole data set.
            try await runTool(
                python,
                [
                    script.path, "--attack", recipe.attack, "--target", "\(recipe.target)",
                    "--rate", "\(recipe.rate)", "--train", "\(trainingImages)", "--out", data.path,
                ])
        }
        let isClean = recipe.rate == 0
        return DemoCase(
            title: isClean
                ? "\(folder.lastPathComponent): \(trainingImages) clean training images"
                : "\(folder.lastPathComponent): \(trainingImages) training images, attack \(recipe.attack) at rate "
                    + "\(recipe.rate) into class \(recipe.target)",
            model: model,
            trainingSet: try await archive(data.appending(path: "train")),
            cleanSet: try await archive(data.appending(path: "test/clean")),
            triggeredSet: isClean ? nil : try await archive(data.appending(path: "test/triggered")),
            targetClass: isClean ? nil : recipe.target,
            truth: try Self.truth(in: data.appending(path: "truth.csv")))
    }

    /// `FOLDER.tar`, with the class folders at its top.
    private func archive(_ folder: URL) async throws -> URL {
        let tar = folder.appendingPathExtension("tar")
        guard !FileManager.default.fileExists(atPath: tar.path) else { return tar }
        let classes = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        let unfinished = tar.appendingPathExtension("part")
        try await runTool(
            URL(filePath: "/usr/bin/env"),
            ["tar", "--create", "--sort=name", "--file", unfinished.path, "--directory", folder.path]
                + classes)
        try FileManager.default.moveItem(at: unfinished, to: tar)
        return tar
    }

    /// Columns: id, given, true, poisoned.
    private static func truth(in file: URL) throws -> [String: SampleTruth] {
        var truth: [String: SampleTruth] = [:]
        for line in try String(contentsOf: file, encoding: .utf8).split(whereSeparator: \.isNewline)
            .dropFirst()
        {
            let fields = line.split(separator: ",")
            guard fields.count == 4, let label = Int(fields[2]) else {
                throw DemoFailure("\(file.path) has a line that is not id,given,true,poisoned: \(line)")
            }
            truth[String(fields[0])] = SampleTruth(label: label, role: fields[3] == "1" ? .poisoned : .clean)
        }
        return truth
    }
}
