//! What the person chose for this desktop, and what it keeps where.

use super::Desk;
use super::error::AppError;
use super::habits::{Habits, kept};
use sallyport_ipc::{Kept, Notifications, SettingsView, ShellView, Shown, Theme};
use sallyport_model::ErrorCode;
use sallyport_store::{Notifications as StoredNotifications, Prefs, Theme as Stored};
use sallyport_terminal::Shell;
use sallyport_vault::VaultState;
use std::path::{Path, PathBuf};
use std::sync::{MutexGuard, PoisonError};

/// Terminals' text, in CSS pixels: the smallest that can be read, the usual, the largest that leaves 80 columns.
const SMALLEST: u8 = 9;
const USUAL: u8 = 13;
const LARGEST: u8 = 24;

/// What was chosen.
pub(super) struct Chosen {
    theme: Theme,
    font_size: u8,
    shell: Option<PathBuf>,
    notifications: Notifications,
    pub(super) habits: Habits,
}

impl Chosen {
    /// As it was left; what can't be read is as at the first start.
    pub(super) async fn of(prefs: &Prefs) -> Self {
        Self {
            theme: prefs.theme().await.map_or(Theme::System, shown),
            font_size: prefs.font_size().await.ok().flatten().map_or(USUAL, within),
            shell: prefs.shell().await.unwrap_or_default(),
            notifications: told(prefs.notifications().await.unwrap_or_default()),
            habits: Habits::of(prefs).await,
        }
    }
}

fn within(size: u8) -> u8 {
    size.clamp(SMALLEST, LARGEST)
}

fn shown(theme: Stored) -> Theme {
    match theme {
        Stored::Dark => Theme::Dark,
        Stored::Light => Theme::Light,
        Stored::System => Theme::System,
    }
}

fn told(stored: StoredNotifications) -> Notifications {
    let StoredNotifications { asks, requests, sessions, reasons } = stored;
    Notifications { asks, requests, sessions, reasons }
}

fn stored(theme: Theme) -> Stored {
    match theme {
        Theme::System => Stored::System,
        Theme::Dark => Stored::Dark,
        Theme::Light => Stored::Light,
    }
}

impl Desk {
    pub(super) fn chosen(&self) -> MutexGuard<'_, Chosen> {
        self.chosen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn theme(&self) -> Theme {
        self.chosen().theme
    }

    pub(crate) fn font_size(&self) -> u8 {
        self.chosen().font_size
    }

    /// The shell of new terminals; `None`: the person's own. One that is gone since it was chosen is not waited for.
    pub(crate) fn shell(&self) -> Option<PathBuf> {
        let chosen = self.chosen().shell.clone().filter(|shell| shell.is_file());
        chosen.or_else(|| self.options.shell.clone())
    }

    /// Chooses a theme and remembers it.
    pub(crate) async fn set_theme(&self, theme: Theme) -> Result<(), AppError> {
        self.chosen().theme = theme;
        self.changed();
        kept("the theme", self.prefs.set_theme(stored(theme)).await)
    }

    /// Chooses the size of terminals' text; one out of bounds is the nearest within.
    pub(crate) async fn set_font_size(&self, size: u8) -> Result<(), AppError> {
        let size = within(size);
        self.chosen().font_size = size;
        self.changed();
        kept("the text size", self.prefs.set_font_size(size).await)
    }

    /// Chooses the shell of new terminals; `None`: the person's own.
    ///
    /// # Errors
    /// For what this machine does not list as a shell: the window may choose among them and name no other program.
    pub(crate) async fn set_shell(&self, path: Option<String>) -> Result<(), AppError> {
        let listed = |path: &str| installed().iter().any(|shell| shell.path == Path::new(path));
        if let Some(path) = path.as_deref().filter(|path| !listed(path)) {
            let what = format!("{} is not among this machine's shells", Shown::from(path));
            return Err(AppError::new(ErrorCode::BadInput, what).hint(
                "Choose one of the list; whoever looks after this machine can add one to /etc/shells.",
            ));
        }
        self.chosen().shell = path.clone().map(PathBuf::from);
        kept("the shell", self.prefs.set_shell(path).await)
    }

    /// What is told on the desktop, outside the window.
    pub(crate) fn notifications(&self) -> Notifications {
        self.chosen().notifications
    }

    /// Chooses it and remembers it.
    pub(crate) async fn set_notifications(&self, chosen: Notifications) -> Result<(), AppError> {
        self.chosen().notifications = chosen;
        let Notifications { asks, requests, sessions, reasons } = chosen;
        let stored = StoredNotifications { asks, requests, sessions, reasons };
        kept("what is told", self.prefs.set_notifications(stored).await)
    }

    /// The view; `trouble` is why notifications can't be shown.
    pub(crate) fn settings(&self, trouble: Option<Shown>) -> SettingsView {
        let text = |path: &Path| Shown::from(&path.display().to_string());
        // Each lock by itself: within one expression the first would be held while the second waits for it.
        let shell = self.chosen().shell.as_deref().map(text);
        let notifications = self.notifications();
        SettingsView {
            shell,
            own_shell: sallyport_terminal::own().as_deref().map(text),
            shells: installed()
                .iter()
                .map(|shell| ShellView {
                    path: text(&shell.path),
                    guards_each_prompt: shell.shell != Shell::Posix,
                })
                .collect(),
            notifications,
            notifications_trouble: trouble,
            kept: self.kept(),
        }
    }

    fn kept(&self) -> Vec<Kept> {
        let dirs = &self.dirs;
        let line = |what: &str, place: Option<PathBuf>, how: &str| Kept {
            what: what.into(),
            place: place.map(|place| Shown::from(&place.display().to_string())),
            how: how.into(),
        };
        let in_keyring = matches!(self.vault.state(), VaultState::Keyring);
        let (vault, sign_in) = if in_keyring {
            (Some(dirs.data.clone()), "Encrypted; its key is in this desktop's keyring.")
        } else {
            (None, "In memory until Sallyport ends: there is no keyring to keep its key.")
        };
        let history = if in_keyring {
            "Every step and every call, chained with a key from the keyring; secrets are taken out before they are written."
        } else {
            "Every step and every call, chained without a key; secrets are taken out before they are written."
        };
        let recordings = if in_keyring {
            "What terminals showed where a profile has that recorded, encrypted, secrets too; for 90 days and 4 GiB."
        } else {
            "What terminals showed where a profile has that recorded, not encrypted for want of a keyring, secrets too; for 90 days and 4 GiB."
        };
        vec![
            line("History", Some(dirs.data.clone()), history),
            line("Recordings", Some(dirs.data.join("recordings")), recordings),
            line("Sign-in", vault, sign_in),
            line("Session tokens", None, "In memory while the session is open, and nowhere else."),
            line(
                "Private kubeconfigs",
                Some(dirs.runtime.clone()),
                "One for each open session, for you alone; removed when it ends. They hold no token.",
            ),
            line(
                "Team",
                Some(dirs.config.clone()),
                "The workspace file, the hubs that were ever joined, and who signed in last.",
            ),
            line(
                "Preferences",
                Some(dirs.data.clone()),
                "Pins, recents, the last reason (8 hours), each cluster's port, who could ask for what when you last marked it as seen, these settings, and what a support bundle's other names are made with.",
            ),
            line(
                "What kubectl learned",
                Some(dirs.data.join("kubectl-cache")),
                "The APIs of clusters that were open, each apart from the others. No object of theirs.",
            ),
        ]
    }
}

/// Those whose path is text: another one could not be named by the window.
fn installed() -> Vec<sallyport_terminal::Installed> {
    sallyport_terminal::installed().into_iter().filter(|shell| shell.path.to_str().is_some()).collect()
}
