import Support

/// What a problem says in the words of HTTP, in those of the command line: `layout=folders` is `--layout folders` here.
enum CommandWords {
    private static let options = [
        "resize": "--resize", "crop": "--crop", "alpha": "--alpha", "split": "--split", "layout": "--layout",
        "orientation": "--orientation", "architecture": "--architecture", "skeleton": "--skeleton",
        "weights": "--weights", "output": "--model-output", "skip_damaged": "--skip-damaged",
        "empty_classes": "--empty-classes", "image": "--image", "device": "--device",
    ]
    private static let places = [
        "/dataset": "DATASET", "/options/classes": "--classes", "/options/input/mean": "--mean",
        "/options/input/std": "--std", "/evaluation/clean": "--clean",
        "/evaluation/triggered": "--triggered", "/evaluation/target_class": "--target-class",
        "/options/trusted": "--trusted", "options.classes": "--classes", "options.input": scaling,
    ]

    private static let scaling = "--preset, --mean, --std, --range"

    static func translated(_ problem: Problem) -> Problem {
        var problem = problem
        problem.location = problem.location.map { places[$0] ?? options[$0] ?? $0 }
        problem.detail = translated(text: problem.detail)
        problem.fix = problem.fix.map(translated(text:))
        return problem
    }

    /// Options of a job, said as `options.classes (--classes FILE)` or alone, then those of an upload.
    static func translated(text: String) -> String {
        var text = text.replacing(/set options\.input to [^()]* \((--[^)]*)\)/) { "give \($0.1)" }
        text.replace(/(?:set )?options\.accept_disagreement \((--[a-z-]+)\)/) { "give \($0.1)" }
        text.replace(/options\.[a-z_]+ \((--[^)]*)\)/) { String($0.1) }
        text.replace("set --classes FILE to ", with: "give --classes FILE, which holds ")
        text.replace("options.classes", with: "--classes")
        text.replace("options.input", with: scaling)
        text = ofUpload(text)
        return withoutService(text)
    }

    /// A command takes files where they are: nothing is uploaded, no id is given, and no service is configured.
    private static func withoutService(_ text: String) -> String {
        var text = text.replacing(
            /(?:; the limit is|, or raise) limits\.[a-z_.]+(?: or limits\.[a-z_]+)? (?:of|in) the service's configuration/,
            with: "")
        text.replace(
            "upload it as one (POST /v1/datasets)", with: "give it as DATASET; the order is MODEL DATASET")
        text.replace(
            "upload the model as .pt2 and name it as the skeleton (--skeleton MODEL_ID)",
            with: "export the model as .pt2 and give it: --skeleton FILE")
        text.replace(/[Uu]pload the images again with/) { $0.output.hasPrefix("U") ? "Give" : "give" }
        text.replace(/,? and upload (?:it|them) again/, with: ", and try again")
        text.replace(/\b([Uu])pload (?=(?:the|a|images|fewer|cifar|several|what|files)\b)/) {
            $0.1 == "U" ? "Give " : "give "
        }
        text.replace(/\b([a-z_]+) was given/) { match in
            options[String(match.1)].map { $0 + " was given" } ?? String(match.0)
        }
        return text
    }

    /// Options with their values. One that is said both ways already, as `--skip-damaged (skip_damaged=true)`, is said once.
    private static func ofUpload(_ text: String) -> String {
        let once = text.replacing(/(--[a-z-]+(?: [A-Za-z0-9]+)?) \([a-z_]+=[^)]*\)/) { String($0.1) }
            .replacing(/([a-z_]+=[^ ()]+) \((--[a-z-]+)[^)]*\)/) { String($0.1) }
        return once.replacing(/\b([a-z_]+)=([A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?)/) { match in
            guard let option = options[String(match.1)] else { return String(match.0) }
            return match.2 == "true" ? option : option + " " + match.2
        }
    }
}
