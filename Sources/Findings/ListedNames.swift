extension [String] {
    /// The first ten, and how many more there are.
    package var listed: String {
        count > 10
            ? "\(prefix(10).joined(separator: ", ")) and \(count - 10) others" : joined(separator: ", ")
    }
}
