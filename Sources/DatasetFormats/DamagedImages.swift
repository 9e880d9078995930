import Findings
import Support

/// Images that cannot be read, as they are met: all are counted, the first hundred are named.
struct DamagedImages {
    private static let named = 100
    private static let longestName = 200

    private(set) var count = 0
    private var files: [SetReading.Damaged.File] = []
    private var first: Problem?
    /// Of the samples.
    private(set) var classes: Set<String> = []

    var firstName: String? { first?.location }

    /// - Parameter problem: what is wrong with this one.
    mutating func add(_ item: DecodeBatch.Item, _ problem: Problem) {
        count += 1
        classes.insert(item.className)
        if first == nil { first = problem }
        guard files.count < Self.named else { return }
        let name = String((problem.location ?? "").prefix(Self.longestName))
        files.append(.init(name: name, reason: String(problem.detail.prefix(Self.longestName))))
    }

    /// For a set that was read without them.
    var reading: SetReading.Damaged? { count == 0 ? nil : .init(count: count, files: files) }

    /// All of them; nil where there is none.
    /// - Parameter images: how many there are in all.
    func problem(of images: Int) -> Problem? {
        guard count > 1 else { return first }
        let listed = files.map { "\($0.name): \($0.reason)" }.joined(separator: "\n")
        return Problem(
            .unprocessable, code: "images-damaged", title: "Several images cannot be read",
            detail:
                "\(count) of the \(images) images\(count > files.count ? "; the first \(files.count) of them" : ""):\n"
                + listed, location: first?.location,
            fix:
                "Replace the files or leave them out; \(ImportProblems.skipDamagedOption) imports the others."
        )
    }
}
