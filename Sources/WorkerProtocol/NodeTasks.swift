/// The look at a machine that workers are to run on.
extension WorkerTask {
    /// Copy a file into `outputDirectory` as `token`, once confined: whoever made the file then knows that the machine sees
    /// its files, and shows its own.
    public struct CheckNode: Codable, Hashable, Sendable {
        public var token: String
        /// Whether the machine is to confine workers whole, even where less is accepted.
        public var isStrict: Bool

        public init(token: String, isStrict: Bool) {
            self.token = token
            self.isStrict = isStrict
        }
    }
}
