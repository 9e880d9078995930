import Support

extension OutputNames {
    /// Reads a list of names, an object from output to name or from name to output, or a model's configuration
    /// with `id2label`, `label2id` or both, by what is in it.
    public init(json: JSONValue) throws(OutputNamesFault) {
        self.init()
        switch json {
        case .array(let items):
            for (index, item) in items.enumerated() {
                try add([Self.name(item, "/\(index)")], output: index, place: "/\(index)")
            }
            if let repeated = Self.repeated(items) {
                throw OutputNamesFault("\"\(repeated.prefix(80))\" is there twice.", "")
            }
        case .object(let members):
            if json["id2label"] != nil || json["label2id"] != nil {
                try readConfiguration(json["id2label"], json["label2id"])
            } else {
                try read(members, "")
            }
        default: throw OutputNamesFault("Found \(json.kind).", "")
        }
        guard !names.isEmpty else { throw OutputNamesFault("There are no classes.", "") }
    }

    private static func name(_ value: JSONValue, _ place: String) throws(OutputNamesFault) -> String {
        guard case .string(let name) = value else {
            throw OutputNamesFault("A name is expected, found \(value.kind).", place)
        }
        return name
    }

    private static func repeated(_ items: [JSONValue]) -> String? {
        var seen: Set<JSONValue> = []
        for case .string(let name) in items where !seen.insert(.string(name)).inserted { return name }
        return nil
    }

    /// Hugging Face's: where both are there, they have to agree. ImageNet has names of two outputs, of which
    /// `label2id` has one.
    private mutating func readConfiguration(_ id2label: JSONValue?, _ label2id: JSONValue?)
        throws(OutputNamesFault)
    {
        guard case .object(let labels)? = id2label else {
            guard id2label == nil, case .object(let numbers)? = label2id else {
                throw OutputNamesFault("It is no object.", id2label == nil ? "/label2id" : "/id2label")
            }
            return try read(numbers, "/label2id")
        }
        try read(labels, "/id2label")
        guard let label2id else { return }
        guard case .object(let numbers) = label2id else {
            throw OutputNamesFault("It is no object.", "/label2id")
        }
        for member in numbers {
            let place = "/label2id/" + Self.escape(member.name)
            let output = try Self.output(member.value, place)
            guard names[output]?.contains(member.name.trimmingSpace()) == true else {
                let other = names[output].map { "\"\($0[0].prefix(80))\"" } ?? "nothing"
                throw OutputNamesFault(
                    "\"\(member.name.prefix(80))\" is output \(output) here and \(other) in id2label.", place)
            }
        }
    }

    private mutating func read(_ members: [JSONValue.Member], _ pointer: String) throws(OutputNamesFault) {
        // Where keys and values are numbers, such as {"0": "3"}, the keys are outputs when the values are text.
        let areOutputs = members.allSatisfy { member in
            switch member.value {
            case .string, .array: Int(member.name) != nil
            default: false
            }
        }
        for member in members {
            let place = pointer + "/" + Self.escape(member.name)
            guard areOutputs, let output = Int(member.name) else {
                try add([member.name], output: Self.output(member.value, place), place: place)
                continue
            }
            guard case .array(let items) = member.value else {
                try add([Self.name(member.value, place)], output: output, place: place)
                continue
            }
            // Keras' imagenet_class_index.json: {"0": ["n01440764", "tench"]}.
            var synonyms: [String] = []
            for (index, item) in items.enumerated() {
                synonyms.append(try Self.name(item, "\(place)/\(index)"))
            }
            try add(synonyms, output: output, place: place)
        }
    }

    private static func output(_ value: JSONValue, _ place: String) throws(OutputNamesFault) -> Int {
        switch value {
        case .int(let number):
            if let output = Int(exactly: number), outputs.contains(output) { return output }
        case .string(let text):
            if let output = Int(text), outputs.contains(output) { return output }
        default: break
        }
        throw OutputNamesFault("The number of an output is expected, found \(Self.shown(value)).", place)
    }

    private static func shown(_ value: JSONValue) -> String {
        switch value {
        case .int(let number): "\(number)"
        case .double(let number): "\(number)"
        case .string(let text): "\"\(text.prefix(80))\""
        default: value.kind
        }
    }

    private static func escape(_ name: String) -> String {
        name.replacing("~", with: "~0").replacing("/", with: "~1")
    }
}
