import Findings

/// What the classes of a set are called, and which outputs they are, by what the set says of it.
struct ClassNaming {
    /// Sorted and distinct, in the order of the keys.
    private(set) var names: [String]
    /// The output of each; nil where nothing says it.
    private(set) var labels: [Int]?
    private(set) var notes: [String] = []
    /// Files that say nothing of these classes, and why.
    private(set) var ignored: [(name: String, reason: String)] = []

    /// - Parameters:
    ///   - keys: that the classes are packed under, sorted.
    ///   - own: names that the source has for them.
    ///   - orders: files beside the images.
    init(_ keys: [String], areFolders: Bool, own: [String: String], orders: [OrderFile]) {
        let numbers = areFolders ? nil : ClassNames.numbers(keys)
        (names, labels) = (ClassNames.display(keys, own), numbers)
        guard own.isEmpty else {
            ignored = orders.map { ($0.name, "the set names its classes itself") }
            return
        }
        var uses: [(file: String, names: [String], labels: [Int]?)] = []
        for file in orders {
            if let use = Self.use(file, keys, numbers) {
                uses.append((file.name, use.names, use.labels))
            } else {
                ignored.append((file.name, file.fault ?? "does not name the classes of this set"))
            }
        }
        guard let first = uses.first else { return }
        guard uses.allSatisfy({ $0.names == first.names && $0.labels == first.labels }) else {
            ignored += uses.map { ($0.file, "contradicts another such file") }
            return
        }
        (names, labels) = (first.names, first.labels)
        notes.append(
            numbers == nil && labels != nil
                ? "\(first.file) says which output each class is." : "\(first.file) names the classes.")
    }

    private static func use(_ file: OrderFile, _ keys: [String], _ numbers: [Int]?) -> (
        names: [String], labels: [Int]?
    )? {
        guard let order = file.order else {
            guard keys.contains(where: { file.aliases[$0] != nil }) else { return nil }
            return (ClassNames.display(keys, file.aliases), numbers)
        }
        if let numbers {
            let names = numbers.compactMap { order.names[$0]?.last }
            guard names.count == numbers.count else { return nil }
            let shown = ClassNames.display(
                keys, Dictionary(zip(keys, names)) { first, _ in first })
            return (shown, numbers)
        }
        let labels = keys.compactMap { order.mapping[$0] }
        guard labels.count == keys.count, Set(labels).count == labels.count else { return nil }
        return (keys, labels)
    }

    /// Whether class folders are numbers of classes that one of `orders` names: `00014` is class 14, "stop".
    static func areNumbers(_ folders: some Collection<String>, _ orders: [OrderFile]) -> Bool {
        let numbers = folders.compactMap { folder in
            folder.allSatisfy { $0.isASCII && $0.isNumber } ? Int(folder) : nil
        }
        guard numbers.count == folders.count, Set(numbers).count == numbers.count else { return false }
        return orders.contains { file in
            guard let order = file.order else { return false }
            let mapping = order.mapping
            return numbers.allSatisfy { order.names[$0] != nil && $0 < 10_000 }
                && !folders.contains { mapping[$0] != nil }
        }
    }
}
