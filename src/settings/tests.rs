use super::*;
use std::path::Path;

fn sources(variables: &[(&str, &str)]) -> Sources {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Sources { variables, ..Sources::default() }
}

fn problems(sources: &Sources) -> Vec<String> {
    Settings::load(sources).expect_err("refused").problems.iter().map(ToString::to_string).collect()
}

fn in_repository(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect(path)
}

#[test]
fn the_default_file_is_generated_from_the_doc_comments() {
    assert_eq!(in_repository("config/default.toml"), default_toml(), "stale: run `make generate`");
}

#[test]
fn the_operator_guide_has_the_table_of_all_settings() {
    assert!(in_repository("docs/operator-guide.md").contains(&reference_table()), "stale: run `make generate`");
}

#[test]
fn the_defaults_of_both_environments_are_valid() {
    let development = Settings::load(&Sources::default()).expect("development");
    assert_eq!(development.server.port, 8080);
    assert_eq!(development.store.url.expose(), "sqlite:data/callboard.db");
    assert!(development.effects.shell.enabled && development.effects.http.allow_private);

    let production = Sources { environment: Some("production".to_owned()), ..Sources::default() };
    let production = Settings::load(&production).expect("production");
    assert!(!production.effects.shell.enabled && !production.effects.http.allow_private);
    assert_eq!(production.telemetry.format, LogFormat::Json);
}

#[test]
fn flags_win_over_variables_and_variables_over_files() {
    let directory = tempfile::tempdir().expect("folder");
    std::fs::write(directory.path().join("production.toml"), "[server]\nport = 1\n[live]\nmailbox = 7\n")
        .expect("file");
    let mut sources = sources(&[("CALLBOARD__SERVER__PORT", "2"), ("CALLBOARD__EFFECTS__SHELL__ENABLED", "true")]);
    sources.environment = Some("production".to_owned());
    sources.directory = Some(directory.path().to_owned());
    let settings = Settings::load(&sources).expect("valid");
    assert_eq!((settings.server.port, settings.live.mailbox), (2, 7));
    assert!(settings.effects.shell.enabled);

    sources.overrides = vec![("server.port".to_owned(), "3".to_owned())];
    assert_eq!(Settings::load(&sources).expect("valid").server.port, 3);
}

#[test]
fn a_file_of_the_folder_replaces_the_embedded_one_and_the_others_stay() {
    let directory = tempfile::tempdir().expect("folder");
    std::fs::write(directory.path().join("production.toml"), "[server]\nport = 1\n").expect("file");
    let development = Sources { directory: Some(directory.path().to_owned()), ..Sources::default() };
    assert!(Settings::load(&development).expect("valid").effects.shell.enabled, "development.toml from the binary");
    let production = Sources { environment: Some("production".to_owned()), ..development };
    assert_eq!(Settings::load(&production).expect("valid").telemetry.format, LogFormat::Human, "replaced, not merged");
}

#[test]
fn all_wrong_types_are_reported_at_once_with_their_origin() {
    let found = problems(&sources(&[
        ("CALLBOARD__SERVER__PORT", "70000"),
        ("CALLBOARD__ENGINE__MAX_RUNNING", "-1"),
        ("CALLBOARD__EFFECTS__SHELL__ENABLED", "maybe"),
        ("CALLBOARD__TELEMETRY__FORMAT", "xml"),
    ]));
    assert_eq!(
        found,
        [
            "server.port: must be a whole number from 0 to 65535, not `70000` (in the environment)",
            "engine.max_running: must be a whole number from 0 to 18446744073709551615, not `-1` (in the environment)",
            "effects.shell.enabled: must be true or false, not `maybe` (in the environment)",
            "telemetry.format: must be `human` or `json`, not `xml` (in the environment)",
        ]
    );
}

#[test]
fn a_file_may_not_write_a_number_as_truth_or_fraction() {
    let directory = tempfile::tempdir().expect("folder");
    let text = "[server]\nport = true\nworkers = 1.5\n[effects.shell]\nenabled = 1\n";
    std::fs::write(directory.path().join("development.toml"), text).expect("file");
    let found = problems(&Sources { directory: Some(directory.path().to_owned()), ..Sources::default() });
    assert_eq!(found.len(), 3, "{found:#?}");
}

#[test]
fn unknown_keys_are_refused_with_what_is_there_instead() {
    let mut sources = sources(&[("CALLBOARD__SERVER__PROT", "1"), ("CALLBOARD__SERVRE__PORT", "1")]);
    sources.overrides = vec![("effects.shell".to_owned(), "true".to_owned())];
    let found = problems(&sources);
    assert_eq!(found.len(), 3, "{found:#?}");
    assert_eq!(found[0], "effects.shell: is a section, not a value (in the command line)");
    assert!(found[1].starts_with("server.prot: is not a setting (in the environment); `server` has `host`, `port`"));
    assert!(found[2].starts_with("servre: is not a setting; the sections are `server`, `store`"));
}

#[test]
fn impossible_values_are_reported_at_once() {
    let found = problems(&sources(&[
        ("CALLBOARD__SERVER__HOST", ""),
        ("CALLBOARD__STORE__URL", "mysql://localhost/callboard"),
        ("CALLBOARD__ENGINE__MAX_RUNNING", "0"),
        ("CALLBOARD__TELEMETRY__LEVEL", "callboard=loud"),
    ]));
    let keys: Vec<_> = found.iter().filter_map(|problem| problem.split(':').next()).collect();
    assert_eq!(keys, ["server.host", "store.url", "engine.max_running", "telemetry.level"]);
}

#[test]
fn places_are_read_or_refused_with_an_example() {
    let good = [
        ("CALLBOARD__SERVER__PUBLIC_URLS", "https://Callboard.example.com:443/, http://localhost:8080"),
        ("CALLBOARD__SERVER__TRUSTED_PROXIES", "127.0.0.1, 10.1.0.0/16"),
    ];
    let settings = Settings::load(&sources(&good)).expect("valid");
    assert!(settings.to_toml().contains("\"https://callboard.example.com, http://localhost:8080\""));
    let found = problems(&sources(&[
        ("CALLBOARD__SERVER__PUBLIC_URLS", "callboard.example.com"),
        ("CALLBOARD__SERVER__TRUSTED_PROXIES", "nginx"),
    ]));
    assert_eq!(
        found,
        [
            "server.public_urls: must be addresses such as `https://callboard.example.com`, without a path, separated by \
             commas, not `callboard.example.com` (in the environment)",
            "server.trusted_proxies: must be networks such as `10.1.0.0/16, fd12::/48, 10.2.0.7`, not `nginx` (in the \
             environment)",
        ]
    );
}

#[test]
fn an_unknown_environment_a_missing_folder_and_a_broken_file_are_named() {
    let sources = Sources {
        environment: Some("staging".to_owned()),
        directory: Some("/no/such/folder".into()),
        ..Sources::default()
    };
    let found = problems(&sources);
    assert_eq!(found[0], "CALLBOARD_ENVIRONMENT: must be `development` or `production`, not `staging`");
    assert_eq!(found[1], "/no/such/folder: no such folder");

    let directory = tempfile::tempdir().expect("folder");
    std::fs::write(directory.path().join("development.toml"), "[server\n").expect("file");
    let found = problems(&Sources { directory: Some(directory.path().to_owned()), ..Sources::default() });
    assert!(found.len() == 1 && found[0].contains("development.toml"), "{found:#?}");
}

#[test]
fn the_password_of_a_database_is_never_shown() {
    for url in [
        "postgres://callboard:hunter2@db/callboard",
        "postgres://db/callboard?user=a&password=hunter2",
        "postgres:///callboard?host=/run/postgresql&password=hunter2",
        "postgres://db/callboard?sslpassword=hunter2",
    ] {
        let settings = Settings::load(&sources(&[("CALLBOARD__STORE__URL", url)])).expect(url);
        assert_eq!(settings.store.url.expose(), url);
        let shown = format!("{settings:?} {}", settings.store.url);
        assert!(!shown.contains("hunter2") && shown.contains("***"), "{shown}");
    }
    let failure = problems(&sources(&[("CALLBOARD__STORE__URL", "mysql://root:hunter2@db/x")])).join("\n");
    assert!(!failure.contains("hunter2"), "{failure}");
}

#[test]
fn providers_are_read_under_the_names_they_are_given() {
    let directory = tempfile::tempdir().expect("folder");
    let text = "[identity.oidc.company]\nissuer = \"https://login.example.com\"\nclient_id = \"callboard\"\n\
                roles = [\"CN=Admins,OU=x=admin\", \"staff=member\"]\n";
    std::fs::write(directory.path().join("development.toml"), text).expect("file");
    let mut sources = sources(&[
        ("CALLBOARD__IDENTITY__OIDC__COMPANY__CLIENT_SECRET", "hunter2"),
        ("CALLBOARD__IDENTITY__OIDC__LAB__ISSUER", "http://localhost:5556/dex"),
        ("CALLBOARD__IDENTITY__OIDC__LAB__CLIENT_ID", "callboard"),
        ("CALLBOARD__IDENTITY__OIDC__LAB__ROLES", "*=viewer, ops=operator"),
    ]);
    sources.directory = Some(directory.path().to_owned());
    let settings = Settings::load(&sources).expect("valid");
    let [company, lab] = settings.providers.as_slice() else { panic!("two: {:?}", settings.providers) };
    assert_eq!((company.name.as_str(), lab.name.as_str()), ("company", "lab"));
    assert_eq!(company.provider.client_secret.expose(), "hunter2");
    assert_eq!(company.provider.roles.0, ["CN=Admins,OU=x=admin", "staff=member"]);
    assert_eq!(lab.provider.roles.0, ["*=viewer", "ops=operator"]);
    assert_eq!((lab.provider.scopes.as_str(), lab.provider.tenants.0.len()), ("openid email profile", 1));
    let shown = format!("{} {settings:?}", settings.to_toml());
    assert!(shown.contains("[identity.oidc.lab]") && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn what_is_wrong_with_a_provider_is_reported_at_once() {
    let mut wrong = sources(&[
        ("CALLBOARD__IDENTITY__OIDC__COMPANY__ISSUER", "http://login.example.com"),
        ("CALLBOARD__IDENTITY__OIDC__COMPANY__SCOPES", "email"),
        ("CALLBOARD__IDENTITY__OIDC__MY_LAB__CLIENT_ID", "callboard"),
    ]);
    let found = problems(&wrong);
    let keys: Vec<&str> = found.iter().filter_map(|problem| problem.split(':').next()).collect();
    let company = ["issuer", "client_id", "scopes", "roles"].map(|key| format!("identity.oidc.company.{key}"));
    let lab = ["", ".issuer", ".roles"].map(|key| format!("identity.oidc.my_lab{key}"));
    assert_eq!(keys, [&company[..], &lab[..]].concat());
    wrong.variables = vec![("CALLBOARD__IDENTITY__OIDC__COMPANY__ISUER".to_owned(), "x".to_owned())];
    let found = problems(&wrong);
    assert!(found[0].starts_with("identity.oidc.company.isuer: is not a setting"), "{found:?}");
    assert!(found[0].contains("`identity.oidc.company` has `label`, `issuer`"), "{found:?}");
}
